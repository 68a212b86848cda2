#include "tarsier/nn/activation.h"

#include <ATen/ATen.h>

#include "tarsier/nn/fused_ops.h"

namespace tarsier {

Tensor swiglu(const Tensor& gate, const Tensor& up) {
  if (can_fuse(gate) && can_fuse(up)) return fused_swiglu(gate, up);
  return at::silu(gate) * up;
}

Tensor quick_gelu(const Tensor& x) {
  if (can_fuse(x)) return fused_quick_gelu(x);
  return x * at::sigmoid(1.702 * x);
}

Tensor exact_gelu(const Tensor& x) { return at::gelu(x, "none"); }

Tensor tanh_gelu(const Tensor& x) { return at::gelu(x, "tanh"); }

}  // namespace tarsier
