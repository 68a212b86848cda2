#pragma once

#include <cstdint>

#include "tarsier/kernels/isa.h"

namespace tarsier {

/// Row-wise and element-wise f32 operations and their gradients, each one pass over memory on the
/// calling thread. Arrays are dense and row-major unless strides are given, and outputs overlap no
/// input. Nothing here fails; NaN in gives NaN out.
struct ElementwiseKernels {
  /// y = x * r * weight with r = 1 / sqrt(mean(x^2) + epsilon) of each row.
  /// x, y [rows, width]; weight [width]; inverse_rms [rows] receives r.
  void (*rms_norm)(const float* x, const float* weight, float epsilon, float* y, float* inverse_rms,
                   std::int64_t rows, std::int64_t width);
  /// dy, x, dx [rows, width]; weight [width]; inverse_rms [rows] as rms_norm left it.
  /// dweight [width] is added to.
  void (*rms_norm_backward)(const float* dy, const float* x, const float* weight,
                            const float* inverse_rms, float* dx, float* dweight, std::int64_t rows,
                            std::int64_t width);
  /// Turns the pairs (x[j], x[j + head_dim / 2]) of every head by the angle of its token;
  /// direction -1 turns back, which is the gradient. x [tokens, heads, head_dim], the value at
  /// token * token_stride + head * head_stride + j; cosine, sine [tokens, head_dim], the second
  /// half of a row equal to the first; y [tokens, heads, head_dim]. Products and sums are rounded
  /// one by one, so every instruction set gives the same bits.
  void (*rotate)(const float* x, std::int64_t token_stride, std::int64_t head_stride,
                 const float* cosine, const float* sine, float direction, float* y,
                 std::int64_t tokens, std::int64_t heads, std::int64_t head_dim);
  /// y = gate * sigmoid(gate) * up, all [count].
  void (*swiglu)(const float* gate, const float* up, float* y, std::int64_t count);
  void (*swiglu_backward)(const float* dy, const float* gate, const float* up, float* dgate,
                          float* dup, std::int64_t count);
  /// y = x * sigmoid(1.702 x), both [count].
  void (*quick_gelu)(const float* x, float* y, std::int64_t count);
  void (*quick_gelu_backward)(const float* dy, const float* x, float* dx, std::int64_t count);
};

/// Those for the instruction set this machine runs.
const ElementwiseKernels& elementwise_kernels();
/// Those for one set, which the caller knows the machine to run; sets this build lacks give
/// `portable`.
const ElementwiseKernels& elementwise_kernels(Isa isa);

}  // namespace tarsier
