#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// Keys and values of one sequence, for every layer. Room for `capacity` tokens is taken once, at
/// the start.
class KvCache {
 public:
  KvCache(std::int64_t layers, std::int64_t capacity, std::int64_t kv_heads, std::int64_t head_dim,
          const at::TensorOptions& options);

  /// Writes the keys and values [tokens, kv_heads, head_dim] of the next tokens of `layer` behind
  /// those held, then attends: query [tokens, heads, head_dim] sees every held token and itself.
  /// Call advance() once all layers are through.
  Tensor append_and_attend(std::int64_t layer, const Tensor& query, const Tensor& key,
                           const Tensor& value);
  void advance(std::int64_t tokens);

  std::int64_t length() const { return length_; }
  std::int64_t capacity() const { return capacity_; }
  KvCache copy(std::int64_t capacity) const;  // the same tokens, other room

 private:
  struct Layer {
    Tensor key, value;  // [kv_heads, capacity, head_dim]
  };
  std::vector<Layer> layers_;
  std::int64_t capacity_;
  std::int64_t length_ = 0;
};

}  // namespace tarsier
