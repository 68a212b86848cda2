#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "tarsier/nn/segment_attention_op.h"
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

/// How many (query, key) pairs of tokens a layout joins.
double attended_pairs(const AttentionLayout& layout);

class SegmentGroups;

/// A layout made ready once and used by every layer on one device. Immutable.
class SegmentAttention {
 public:
  explicit SegmentAttention(AttentionLayout layout, at::Device device = at::kCPU);

  /// query [tokens, heads, head_dim], key and value [tokens, kv_heads, head_dim] -> [tokens, heads,
  /// head_dim]. Scale 1 / sqrt(head_dim), softmax in f32. Differentiable; f32 and halves on the CPU
  /// by a fused kernel (segment_attention_op.h), the rest by segment_groups.h.
  Tensor operator()(const Tensor& query, const Tensor& key, const Tensor& value) const;

 private:
  AttentionLayout layout_;
  SegmentTrees trees_;
  std::shared_ptr<const SegmentGroups> groups_;  // where no layer will find a fused kernel
};

/// Scores, softmax and sum as matrix products. query [batch, heads, queries, head_dim], key and
/// value [batch, kv_heads, keys, head_dim]; with `causal`, query i sees key j where j <= i + keys -
/// queries.
Tensor grouped_query_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                               bool causal);

}  // namespace tarsier
