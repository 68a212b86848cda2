#include "tarsier/train/optimizer/adamw.h"

#include <ATen/ATen.h>

#include <map>
#include <utility>

namespace tarsier {
namespace {

// Weights that share a rate and a decay, for one fused pass.
struct Bundle {
  std::vector<Tensor> weights, gradients, means, variances, steps;
};

}  // namespace

void adamw_update(std::span<Optimizer::Parameter* const> parameters,
                  const OptimizerSettings& settings) {
  std::map<std::pair<double, double>, Bundle> bundles;
  for (Optimizer::Parameter* parameter : parameters) {
    Bundle& bundle = bundles[{parameter->rate, parameter->decay(settings)}];
    bundle.weights.push_back(parameter->master);
    bundle.gradients.push_back(parameter->gradient);
    bundle.means.push_back(parameter->mean);
    bundle.variances.push_back(parameter->variance);
    bundle.steps.push_back(parameter->steps.add_(1));
  }
  for (auto& [rate_and_decay, bundle] : bundles) {
    const auto [rate, decay] = rate_and_decay;
    at::_fused_adamw_(bundle.weights, bundle.gradients, bundle.means, bundle.variances, {},
                      bundle.steps, settings.rate * rate, settings.beta1, settings.beta2, decay,
                      settings.epsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
}

}  // namespace tarsier
