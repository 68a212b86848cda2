#include "tarsier/train/optimizer/average.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace tarsier {

double average_decay(double limit, std::int64_t updates) {
  const auto n = static_cast<double>(updates);
  return std::min(limit, (1 + n) / (10 + n));
}

void start_averages(Optimizer& optimizer) {
  for (Optimizer::Parameter& parameter : optimizer.parameters()) {
    if (parameter.path.starts_with("training_only.")) continue;
    parameter.averaged = true;
    if (parameter.owned) parameter.average = parameter.master.detach().clone();
  }
}

void update_averages(Optimizer& optimizer, double decay) {
  const at::NoGradGuard no_grad;
  for (Optimizer::Parameter& parameter : optimizer.parameters()) {
    if (parameter.average.defined()) parameter.average.lerp_(parameter.master, 1 - decay);
  }
}

AveragedWeights::AveragedWeights(Optimizer& optimizer) : optimizer_(optimizer) { exchange(); }

AveragedWeights::~AveragedWeights() { exchange(); }

// Masters for averages and back. 16-bit weights follow their masters.
void AveragedWeights::exchange() {
  const at::NoGradGuard no_grad;
  for (Optimizer::Parameter& parameter : optimizer_.parameters()) {
    if (!parameter.average.defined()) continue;
    const Tensor kept = parameter.master.clone();
    parameter.master.copy_(parameter.average);
    parameter.average.copy_(kept);
    parameter.refresh_weight();
  }
}

}  // namespace tarsier
