#pragma once

#include <cstdint>

#include "tarsier/kernels/isa.h"

namespace tarsier {

/// f32 rows [tokens, heads, head_dim]: a value at token * token_stride + head * head_stride + j.
struct HeadRows {
  const float* data = nullptr;
  std::int64_t token_stride = 0, head_stride = 0;
};
struct MutableHeadRows {
  float* data = nullptr;
  std::int64_t token_stride = 0, head_stride = 0;
};

/// What one call works on: a root segment with all its descendants, and one key head with the
/// query heads that share it. No two units of a layout write the same row, so units may run side by
/// side and the order of additions does not depend on how many threads there are.
struct AttentionUnit {
  // [segments]: the tokens [begin, end) of each segment, and its parent as an index into these
  // arrays, -1 for the root. Begins ascend, parents come before their children. A segment sees its
  // ancestors whole and itself.
  const std::int64_t* begin = nullptr;
  const std::int64_t* end = nullptr;
  const std::int64_t* parent = nullptr;
  std::int64_t segments = 0;
  bool causal = true;  // inside a segment

  std::int64_t repeat = 1;    // query heads
  std::int64_t head_dim = 0;  // 1 to kMaxHeadDim
  float scale = 1;            // of the products of queries and keys, before the softmax

  HeadRows query;       // of `repeat` heads
  HeadRows key, value;  // of one head
  // Of `repeat` heads; written by `forward`, read by `backward`.
  MutableHeadRows output;
  // log2 of the sum of 2^(scale * log2(e) * q.k) of each query, at token * token_stride + head:
  // written by `forward` unless null, read by `backward`.
  float* log_sum = nullptr;
  std::int64_t log_sum_token_stride = 0;

  // Only for `backward`: the gradient of the output, and where those of the inputs are written.
  HeadRows grad_output;
  MutableHeadRows grad_query, grad_key, grad_value;
};

constexpr std::int64_t kMaxHeadDim = 256;

/// Softmax attention and its gradient over one unit, on the calling thread. Keys are done in blocks
/// with a running softmax, so `scratch` grows with the unit's tokens, not with their square.
/// Nothing here fails; NaN in gives NaN out.
struct SegmentAttentionKernels {
  /// Floats of scratch memory a call needs; best aligned to 64 bytes.
  std::int64_t (*forward_scratch)(const AttentionUnit& unit);
  std::int64_t (*backward_scratch)(const AttentionUnit& unit);
  void (*forward)(const AttentionUnit& unit, float* scratch);
  void (*backward)(const AttentionUnit& unit, float* scratch);
};

/// Those for the instruction set this machine runs.
const SegmentAttentionKernels& segment_attention_kernels();
/// Those for one set, which the caller knows the machine to run; sets this build lacks give
/// `portable`.
const SegmentAttentionKernels& segment_attention_kernels(Isa isa);

}  // namespace tarsier
