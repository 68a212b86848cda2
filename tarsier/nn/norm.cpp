#include "tarsier/nn/norm.h"

#include <ATen/ATen.h>

#include "tarsier/nn/fused_ops.h"

namespace tarsier {

RmsNorm::RmsNorm(std::int64_t width, double eps) : weight(meta_tensor({width})), epsilon(eps) {}

Tensor RmsNorm::operator()(const Tensor& x) const {
  if (can_fuse(x) && can_fuse(weight)) return fused_rms_norm(x, weight, epsilon);
  const at::ScalarType statistics = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const Tensor wide = x.to(statistics);
  const Tensor scale = at::rsqrt(wide.square().mean(-1, /*keepdim=*/true) + epsilon);
  return (wide * scale).to(x.scalar_type()) * weight;
}

void RmsNorm::visit(Scope scope) { scope("weight", weight); }

LayerNorm::LayerNorm(std::int64_t width, double eps)
    : weight(meta_tensor({width})), bias(meta_tensor({width})), epsilon(eps) {}

Tensor LayerNorm::operator()(const Tensor& x) const {
  return at::layer_norm(x, {x.size(-1)}, weight, bias, epsilon);
}

void LayerNorm::visit(Scope scope) {
  scope("weight", weight);
  scope("bias", bias);
}

}  // namespace tarsier
