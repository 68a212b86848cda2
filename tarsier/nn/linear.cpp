#include "tarsier/nn/linear.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "tarsier/nn/int8_weight.h"
#include "tarsier/nn/lora.h"
#include "tarsier/nn/mixed_linear.h"
#include "tarsier/nn/panels.h"

namespace tarsier {
namespace {

Tensor linear_by_panels(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const std::int64_t in_features = weight.size(1), out_features = weight.size(0);
  const Tensor rows = x.reshape({-1, in_features}).to(at::kFloat);
  Tensor out = at::empty({rows.size(0), out_features}, x.options());
  for_each_panel(weight, kPanelElements, [&](std::int64_t begin, std::int64_t end) {
    Tensor product = at::matmul(rows, weight.slice(0, begin, end).to(at::kFloat).t());
    if (bias.defined()) product.add_(bias.slice(0, begin, end).to(at::kFloat));
    out.slice(1, begin, end).copy_(product);
  });
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = out_features;
  return out.view(shape);
}

Tensor product(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (is_int8(weight)) return int8_linear(x, weight, bias);
  const bool half = weight.scalar_type() == at::kBFloat16 || weight.scalar_type() == at::kHalf;
  if (half && weight.device().is_cpu() && !at::GradMode::is_enabled())
    return linear_by_panels(x, weight, bias);
  if (multiplies_in_bf16(x) && weight.scalar_type() == at::kFloat)
    return mixed_linear(x, weight, bias);
  return at::linear(x, weight, bias);
}

}  // namespace

Tensor apply_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Tensor y = product(x, weight, bias);
  const LoraDelta* delta = lora_of(weight);
  return delta == nullptr || WithoutLora::holds()
             ? y
             : (y + lora_output(lora_input(x, *delta), *delta)).to(y.scalar_type());
}

Linear::Linear(std::int64_t in_features, std::int64_t out_features, bool has_bias)
    : weight(meta_tensor({out_features, in_features})) {
  if (has_bias) bias = meta_tensor({out_features});
}

Tensor Linear::operator()(const Tensor& x) const { return apply_linear(x, weight, bias); }

void Linear::visit(Scope scope) {
  scope("weight", weight);
  scope("bias", bias);
}

}  // namespace tarsier
