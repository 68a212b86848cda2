#pragma once

#include "tarsier/tensor/tensor.h"

namespace tarsier {

struct AttentionLayout;

/// A layout sorted into its trees, as the kernels read it. Immutable.
struct SegmentTrees {
  Tensor segments;   // i64 [3, segments], trees one after another: begins, ends, parents; a parent
                     // counts from its tree's first segment, -1 for the root
  Tensor tree_ends;  // i64 [trees], exclusive offsets into the segments
  std::int64_t tokens = 0;
  bool causal = true;
};

/// Throws InternalError when the layout's segments do not ascend or do not follow their parents.
SegmentTrees segment_trees(const AttentionLayout& layout);

/// Whether segment_attention takes these: f32 on the CPU, heads of at most 256 values.
bool has_segment_attention(const Tensor& query, const Tensor& key, const Tensor& value);

/// query [tokens, heads, head_dim], key and value [tokens, kv_heads, head_dim], any strides -> new
/// [tokens, heads, head_dim]. Scale 1 / sqrt(head_dim). Differentiable once; keeps its inputs, its
/// output and one number a query for that. The same bits however many threads there are. Throws
/// InternalError on shapes that do not fit one another or the layout.
Tensor segment_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                         const SegmentTrees& trees);

}  // namespace tarsier
