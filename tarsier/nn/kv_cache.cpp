#include "tarsier/nn/kv_cache.h"

#include <ATen/ATen.h>

#include "tarsier/base/error.h"
#include "tarsier/nn/attention.h"

namespace tarsier {

KvCache::KvCache(std::int64_t layers, std::int64_t capacity, std::int64_t kv_heads,
                 std::int64_t head_dim, const at::TensorOptions& options)
    : capacity_(capacity) {
  for (std::int64_t i = 0; i < layers; ++i) {
    layers_.push_back({at::empty({kv_heads, capacity, head_dim}, options),
                       at::empty({kv_heads, capacity, head_dim}, options)});
  }
}

Tensor KvCache::append_and_attend(std::int64_t layer, const Tensor& query, const Tensor& key,
                                  const Tensor& value) {
  const std::int64_t end = length_ + query.size(0);
  check(end <= capacity_, "the cache was sized for the whole sequence");
  Layer& held = layers_[static_cast<std::size_t>(layer)];
  // The cache is written before attention reads it, so a query sees its own key without a special
  // case.
  held.key.slice(1, length_, end).copy_(key.transpose(0, 1));
  held.value.slice(1, length_, end).copy_(value.transpose(0, 1));
  const Tensor out = grouped_query_attention(
      query.transpose(0, 1).unsqueeze(0), held.key.slice(1, 0, end).unsqueeze(0),
      held.value.slice(1, 0, end).unsqueeze(0), /*causal=*/true);
  return out.squeeze(0).transpose(0, 1).reshape(query.sizes());
}

void KvCache::advance(std::int64_t tokens) { length_ += tokens; }

KvCache KvCache::copy(std::int64_t capacity) const {
  check(capacity >= length_, "a copy holds every token");
  const Tensor& first = layers_.front().key;
  KvCache other(static_cast<std::int64_t>(layers_.size()), capacity, first.size(0), first.size(2),
                first.options());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    other.layers_[i].key.slice(1, 0, length_).copy_(layers_[i].key.slice(1, 0, length_));
    other.layers_[i].value.slice(1, 0, length_).copy_(layers_[i].value.slice(1, 0, length_));
  }
  other.length_ = length_;
  return other;
}

}  // namespace tarsier
