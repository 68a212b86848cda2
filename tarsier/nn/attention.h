#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// Who sees whom, without a mask over all pairs: the tokens are consecutive segments; a segment
/// sees itself and its ancestors, whole. Frames of the vision tower and packed samples are roots;
/// answers after one shared video are siblings.
struct AttentionLayout {
  std::vector<std::int64_t> ends;    // [segments], exclusive token offsets, ascending
  std::vector<std::int64_t> parent;  // [segments], index of an earlier segment, -1 for a root
  bool causal = true;                // inside a segment
};

/// A layout made ready once and used by every layer. Immutable.
class SegmentAttention {
 public:
  explicit SegmentAttention(AttentionLayout layout);

  /// query [tokens, heads, head_dim], key and value [tokens, kv_heads, head_dim] -> [tokens, heads,
  /// head_dim]. Scale 1 / sqrt(head_dim), softmax in f32. Differentiable.
  Tensor operator()(const Tensor& query, const Tensor& key, const Tensor& value) const;

 private:
  // Segments of one padded length behind equally long ancestors, done as one batch.
  struct Group {
    Tensor query_index;  // i64 [segments * length]
    Tensor key_index;    // i64 [segments * (ancestors + length)]
    std::int64_t segments, length, ancestors;
  };
  Tensor attend_group(const Group& group, const Tensor& query, const Tensor& key,
                      const Tensor& value) const;

  AttentionLayout layout_;
  std::int64_t equal_length_ = 0;  // > 0: every segment is a root of this length
  std::vector<Group> groups_;
  Tensor order_;  // i64 [tokens]: the row of the groups' outputs that holds each token
};

/// Scores, softmax and sum as matrix products. query [batch, heads, queries, head_dim], key and
/// value [batch, kv_heads, keys, head_dim]; with `causal`, query i sees key j where j <= i + keys -
/// queries.
Tensor grouped_query_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                               bool causal);

}  // namespace tarsier
