#pragma once

#include <cstdint>

#include "tarsier/train/optimizer/optimizer.h"

namespace tarsier {

/// How much of the average stays at the update with number `updates` (from 1): `limit`, and less at
/// first, (1 + n) / (10 + n), so that the weights a run began with are soon forgotten.
double average_decay(double limit, std::int64_t updates);

/// Starts an exponential moving average of every weight of the model, at the weights as they are.
void start_averages(Optimizer& optimizer);

/// average = decay * average + (1 - decay) * weight.
void update_averages(Optimizer& optimizer, double decay);

/// While it lives, the model's weights are the averages, for an export: those this rank owns.
class AveragedWeights {
 public:
  explicit AveragedWeights(Optimizer& optimizer);
  ~AveragedWeights();
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  void exchange();
  Optimizer& optimizer_;
};

}  // namespace tarsier
