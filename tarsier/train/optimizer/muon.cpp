#include "tarsier/train/optimizer/muon.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

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

void muon_update(std::span<Optimizer::Parameter* const> parameters,
                 const OptimizerSettings& settings, Workers& workers) {
  // One matrix a worker: they are small, and many.
  workers.run(static_cast<std::int64_t>(parameters.size()), [&](std::int64_t i) {
    const at::NoGradGuard no_grad;
    Optimizer::Parameter& p = *parameters[static_cast<std::size_t>(i)];
    p.steps.add_(1);
    p.mean.lerp_(p.gradient, 1 - kMomentum);
    const Tensor ahead = p.gradient.lerp(p.mean, kMomentum);
    const auto side = static_cast<double>(std::max(ahead.size(0), ahead.size(1)));
    const double rate = settings.rate * p.rate;
    p.master.mul_(1 - rate * p.decay(settings));
    p.master.add_(orthogonalized(ahead), -rate * std::sqrt(side));
  });
}

}  // namespace tarsier
