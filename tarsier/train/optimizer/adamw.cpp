#include "tarsier/train/optimizer/adamw.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

namespace tarsier {

void AdamW::add(std::string path, const Tensor& weight) {
  const at::NoGradGuard no_grad;
  Parameter parameter;
  parameter.path = std::move(path);
  parameter.weight = weight;
  parameter.master = weight.scalar_type() == at::kFloat ? weight : weight.detach().to(at::kFloat);
  parameter.mean = at::zeros(weight.sizes(), at::kFloat);
  parameter.variance = at::zeros(weight.sizes(), at::kFloat);
  parameter.steps = at::zeros({}, at::kFloat);
  parameters_.push_back(std::move(parameter));
}

double AdamW::gradient_norm() const {
  const at::NoGradGuard no_grad;
  double squares = 0;
  for (const Parameter& parameter : parameters_) {
    if (!parameter.weight.grad().defined()) continue;
    const double norm = parameter.weight.grad().to(at::kFloat).norm().item<double>();
    squares += norm * norm;
  }
  return std::sqrt(squares);
}

void AdamW::step(const AdamwSettings& settings, double scale) {
  const at::NoGradGuard no_grad;
  for (const bool decays : {true, false}) {
    std::vector<Tensor> weights, gradients, means, variances, steps;
    for (Parameter& parameter : parameters_) {
      Tensor& gradient = parameter.weight.mutable_grad();
      if (!gradient.defined() || (parameter.weight.dim() > 1) != decays) continue;
      weights.push_back(parameter.master);
      gradients.push_back(gradient.to(at::kFloat).mul_(scale));
      means.push_back(parameter.mean);
      variances.push_back(parameter.variance);
      steps.push_back(parameter.steps.add_(1));
    }
    if (weights.empty()) continue;
    at::_fused_adamw_(weights, gradients, means, variances, {}, steps, settings.rate,
                      settings.beta1, settings.beta2, decays ? settings.weight_decay : 0.0,
                      settings.epsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
  for (Parameter& parameter : parameters_) {
    if (!parameter.master.is_same(parameter.weight)) parameter.weight.copy_(parameter.master);
  }
  clear_gradients();
}

void AdamW::clear_gradients() {
  for (Parameter& parameter : parameters_) parameter.weight.mutable_grad() = Tensor();
}

void AdamW::reset_moments() {
  const at::NoGradGuard no_grad;
  for (Parameter& parameter : parameters_) {
    parameter.mean.zero_();
    parameter.variance.zero_();
    parameter.steps.zero_();
  }
}

}  // namespace tarsier
