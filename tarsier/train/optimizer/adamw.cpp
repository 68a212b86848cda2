#include "tarsier/train/optimizer/adamw.h"

#include <ATen/ATen.h>

namespace tarsier {

void adamw_update(std::span<Optimizer::Parameter* const> parameters,
                  const OptimizerSettings& settings) {
  for (const bool decays : {true, false}) {
    std::vector<Tensor> weights, gradients, means, variances, steps;
    for (Optimizer::Parameter* parameter : parameters) {
      if ((parameter->weight.dim() > 1) != decays) continue;
      weights.push_back(parameter->master);
      gradients.push_back(parameter->gradient);
      means.push_back(parameter->mean);
      variances.push_back(parameter->variance);
      steps.push_back(parameter->steps.add_(1));
    }
    if (weights.empty()) continue;
    at::_fused_adamw_(weights, gradients, means, variances, {}, steps, settings.rate,
                      settings.beta1, settings.beta2, decays ? settings.weight_decay : 0.0,
                      settings.epsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
}

}  // namespace tarsier
