#include "tarsier/train/optimizer/muon.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace tarsier {
namespace {

constexpr double kMomentum = 0.95;
constexpr int kSteps = 5;
// Coefficients of the quintic that lifts small singular values fastest (Jordan et al.).
constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315;

}  // namespace

Tensor orthogonalized(const Tensor& matrix) {
  const bool tall = matrix.size(0) > matrix.size(1);
  Tensor x = tall ? matrix.t().contiguous() : matrix;
  x = x / (x.norm() + 1e-7);
  for (int i = 0; i < kSteps; ++i) {
    const Tensor square = at::mm(x, x.t());
    const Tensor polynomial = at::addmm(square, square, square, kB, kC);
    x = at::addmm(x, polynomial, x, kA, 1);
  }
  return tall ? x.t() : x;
}

Tensor orthogonalized_each(const Tensor& matrices) {
  const bool tall = matrices.size(1) > matrices.size(2);
  Tensor x = tall ? matrices.transpose(1, 2).contiguous() : matrices;
  x = x / (at::frobenius_norm(x, {1, 2}, /*keepdim=*/true) + 1e-7);
  for (int i = 0; i < kSteps; ++i) {
    const Tensor square = at::bmm(x, x.transpose(1, 2));
    const Tensor polynomial = at::baddbmm(square, square, square, kB, kC);
    x = at::baddbmm(x, polynomial, x, kA, 1);
  }
  return tall ? x.transpose(1, 2) : x;
}

namespace {

// The momentum's direction, and the step's fixed part.
Tensor momentum_ahead(Optimizer::Parameter& p) {
  p.steps.add_(1);
  p.mean.lerp_(p.gradient, 1 - kMomentum);
  return p.gradient.lerp(p.mean, kMomentum);
}

void apply(Optimizer::Parameter& p, const Tensor& direction, const OptimizerSettings& settings) {
  const auto side = static_cast<double>(std::max(direction.size(0), direction.size(1)));
  const double rate = settings.rate * p.rate;
  p.master.mul_(1 - rate * p.decay(settings));
  p.master.add_(direction, -rate * std::sqrt(side));
}

// A device starts one product of many matrices sooner than many products: those of a shape at once.
void update_by_shape(std::span<Optimizer::Parameter* const> parameters,
                     const OptimizerSettings& settings) {
  const at::NoGradGuard no_grad;
  std::map<std::vector<std::int64_t>, std::vector<Optimizer::Parameter*>> by_shape;
  for (Optimizer::Parameter* p : parameters) by_shape[p->master.sizes().vec()].push_back(p);
  for (const auto& [shape, alike] : by_shape) {
    std::vector<Tensor> ahead;
    for (Optimizer::Parameter* p : alike) ahead.push_back(momentum_ahead(*p));
    const std::vector<Tensor> directions = orthogonalized_each(at::stack(ahead)).unbind(0);
    for (std::size_t i = 0; i < alike.size(); ++i) apply(*alike[i], directions[i], settings);
  }
}

}  // namespace

void muon_update(std::span<Optimizer::Parameter* const> parameters,
                 const OptimizerSettings& settings, Workers& workers) {
  if (!parameters.empty() && !parameters[0]->master.device().is_cpu())
    return update_by_shape(parameters, settings);
  // One matrix a worker: they are small, and many.
  workers.run(static_cast<std::int64_t>(parameters.size()), [&](std::int64_t i) {
    const at::NoGradGuard no_grad;
    Optimizer::Parameter& p = *parameters[static_cast<std::size_t>(i)];
    apply(p, orthogonalized(momentum_ahead(p)), settings);
  });
}

}  // namespace tarsier
