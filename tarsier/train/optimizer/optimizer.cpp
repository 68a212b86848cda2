#include "tarsier/train/optimizer/optimizer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/train/optimizer/adamw.h"
#include "tarsier/train/optimizer/muon.h"

namespace tarsier {
namespace {

// One transfer for all: a device is waited for once.
std::vector<double> norms_on_device(const std::vector<Optimizer::Parameter>& parameters) {
  const at::NoGradGuard no_grad;
  std::vector<double> norms(parameters.size());
  std::vector<std::size_t> places;
  std::vector<Tensor> found;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!parameters[i].gradient.defined()) continue;
    places.push_back(i);
    found.push_back(parameters[i].gradient);
  }
  if (found.empty()) return norms;
  const Tensor host = at::stack(at::_foreach_norm(found, 2)).to(at::kCPU, at::kDouble);
  for (std::size_t i = 0; i < places.size(); ++i)
    norms[places[i]] = host.const_data_ptr<double>()[i];
  return norms;
}

}  // namespace

void Optimizer::add(std::string path, const Tensor& weight, std::int64_t owner, bool owned) {
  const at::NoGradGuard no_grad;
  Parameter parameter{};
  parameter.is_layer_matrix = weight.dim() == 2 && path.find("embed_tokens") == std::string::npos &&
                              path.find("lm_head") == std::string::npos &&
                              !path.starts_with("training_only.");
  parameter.path = std::move(path);
  parameter.weight = weight;
  parameter.owner = owner;
  parameter.owned = owned;
  if (weight.scalar_type() == at::kFloat) parameter.master = weight;
  if (owned) {
    if (!parameter.master.defined()) parameter.master = weight.detach().to(at::kFloat);
    const at::TensorOptions real = weight.options().dtype(at::kFloat).requires_grad(false);
    parameter.mean = at::zeros(weight.sizes(), real);
    parameter.variance = at::zeros(weight.sizes(), real);
    parameter.steps = at::zeros({}, real);
  }
  parameters_.push_back(std::move(parameter));
}

void Optimizer::Parameter::refresh_weight() {
  if (owned && !master.is_same(weight)) weight.copy_(master);
}

void Optimizer::add_gradients(const std::vector<Tensor>& gradients) {
  const at::NoGradGuard no_grad;
  check(gradients.size() == parameters_.size(), "there is a gradient for each parameter");
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    if (!gradients[i].defined()) continue;
    Tensor& sum = parameters_[i].gradient;
    if (sum.defined()) {
      sum.add_(gradients[i]);
    } else {
      sum = gradients[i].to(at::kFloat);
    }
  }
}

std::vector<double> Optimizer::gradient_norms() const {
  if (!parameters_.empty() && !parameters_[0].weight.device().is_cpu())
    return norms_on_device(parameters_);
  // Each sum is one thread's, so the last bit does not depend on how many there are.
  std::vector<double> norms(parameters_.size());
  at::parallel_for(0, static_cast<std::int64_t>(norms.size()), 1,
                   [&](std::int64_t begin, std::int64_t end) {
                     const at::NoGradGuard no_grad;
                     for (std::int64_t i = begin; i < end; ++i) {
                       const Tensor& gradient = parameters_[static_cast<std::size_t>(i)].gradient;
                       if (gradient.defined())
                         norms[static_cast<std::size_t>(i)] = gradient.norm().item<double>();
                     }
                   });
  return norms;
}

double joint_norm(std::span<const double> norms) {
  double squares = 0;
  for (const double norm : norms) squares += norm * norm;
  return std::sqrt(squares);
}

void Optimizer::step(const OptimizerSettings& settings, double scale, Workers& workers) {
  const at::NoGradGuard no_grad;
  std::vector<Parameter*> by_adamw, by_muon;
  for (Parameter& parameter : parameters_) {
    if (!parameter.gradient.defined()) continue;
    check(parameter.owned, "a parameter is updated by the rank that owns it");
    if (scale != 1) parameter.gradient = parameter.gradient * scale;  // it may be autograd's own
    const bool muon = settings.rule == UpdateRule::muon && parameter.is_layer_matrix;
    (muon ? by_muon : by_adamw).push_back(&parameter);
  }
  adamw_update(by_adamw, settings);
  muon_update(by_muon, settings, workers);
  for (Parameter& parameter : parameters_) {
    parameter.refresh_weight();
  }
  clear_gradients();
}

void Optimizer::clear_gradients() {
  for (Parameter& parameter : parameters_) parameter.gradient = Tensor();
}

void Optimizer::reset_moments() {
  const at::NoGradGuard no_grad;
  for (Parameter& parameter : parameters_) {
    if (!parameter.owned) continue;
    parameter.mean.zero_();
    parameter.variance.zero_();
    parameter.steps.zero_();
  }
}

}  // namespace tarsier
