#pragma once

#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// True when the operations below take x: f32 in the CPU's memory. Everything else is computed by
/// ATen, whose rounding in 16 bits is the reference's.
bool can_fuse(const Tensor& x);

// Each is one pass over memory forward and one backward, where ATen takes one for each elementary
// step. Every tensor must satisfy can_fuse; results are contiguous. Differentiable once.

/// x / sqrt(mean(x^2) + epsilon) * weight over the last axis; x [..., width], weight [width].
Tensor fused_rms_norm(const Tensor& x, const Tensor& weight, double epsilon);

/// Rotary embedding of x [tokens, heads, head_dim], any strides; cosine, sine [tokens, head_dim]
/// as in RotaryAngles, which get no gradient. The same bits as ATen's products and sums.
Tensor fused_rotate(const Tensor& x, const Tensor& cosine, const Tensor& sine);

/// silu(gate) * up, of one shape.
Tensor fused_swiglu(const Tensor& gate, const Tensor& up);

/// x * sigmoid(1.702 x).
Tensor fused_quick_gelu(const Tensor& x);

}  // namespace tarsier
