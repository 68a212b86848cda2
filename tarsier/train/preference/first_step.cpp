#include "tarsier/train/preference/first_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

constexpr double kLossTolerance = 1e-3;
constexpr double kRewardTolerance = 1e-6, kNarrowRewardTolerance = 1e-3;

bool brings_references(const StepData& data) {
  const auto brings = [](const BatchSample& sample) {
    return sample.pair && sample.pair->reference;
  };
  return std::any_of(data.micro_batches.begin(), data.micro_batches.end(), [&](const Batch& batch) {
    return std::any_of(batch.samples.begin(), batch.samples.end(), brings);
  });
}

}  // namespace

void check_first_step(const PairReport& pairs, const StepData& data,
                      const PreferenceObjective& objective, const ComputeChoice& compute) {
  if (pairs.pairs == 0) return;
  double expected = 0;
  for (const auto& [loss, weight] : objective.losses)
    expected += weight * preference_loss(loss, objective.shape, {}).value;
  const double found = pairs.loss / pairs.pairs, distance = pairs.distance / pairs.pairs;
  const double allowed = compute.type == at::kFloat && compute.products == LinearProducts::f32
                             ? kRewardTolerance
                             : kNarrowRewardTolerance;
  const bool equal = brings_references(data) || distance <= allowed;
  if (std::abs(found - expected) < kLossTolerance && equal) return;
  throw ConfigError(
      {"step 1",
       fmt::format("the loss on pairs is {:.6f} and not {:.6f}, their rewards differ by {:.2e}: "
                   "the policy is not its reference",
                   found, expected, distance),
       "leave log-probabilities of another model or precision out of the rows"});
}

}  // namespace tarsier
