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

// Of one matrix, or of each of several.
Tensor product(const Tensor& a, const Tensor& b) {
  return a.dim() == 2 ? at::mm(a, b) : at::bmm(a, b);
}

// beta * sum + alpha * a b
Tensor added_product(const Tensor& sum, const Tensor& a, const Tensor& b, double beta,
                     double alpha) {
  return a.dim() == 2 ? at::addmm(sum, a, b, beta, alpha) : at::baddbmm(sum, a, b, beta, alpha);
}

Tensor norm_of_each(const Tensor& x) {
  return x.dim() == 2 ? x.norm() : at::frobenius_norm(x, {1, 2}, /*keepdim=*/true);
}

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
    const std::vector<Tensor> directions = orthogonalized(at::stack(ahead)).unbind(0);
    for (std::size_t i = 0; i < alike.size(); ++i) apply(*alike[i], directions[i], settings);
  }
}

}  // namespace

Tensor orthogonalized(const Tensor& matrix) {
  const bool tall = matrix.size(-2) > matrix.size(-1);
  Tensor x = tall ? matrix.transpose(-2, -1).contiguous() : matrix;
  x = x / (norm_of_each(x) + 1e-7);
  for (int i = 0; i < kSteps; ++i) {
    const Tensor square = product(x, x.transpose(-2, -1));
    const Tensor polynomial = added_product(square, square, square, kB, kC);
    x = added_product(x, polynomial, x, kA, 1);
  }
  return tall ? x.transpose(-2, -1) : x;
}

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
