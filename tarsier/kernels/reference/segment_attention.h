#pragma once

#include "tarsier/kernels/segment_attention.h"

namespace tarsier {

/// The same functions written as their formulas, in double, one pair of tokens at a time: the
/// specification that tests hold the fast ones to. They need no scratch memory.
const SegmentAttentionKernels& reference_segment_attention_kernels();

}  // namespace tarsier
