#include "tarsier/train/preference/read_objective.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tarsier/base/error.h"
#include "tarsier/train/recipe_keys.h"

namespace tarsier {

PreferenceObjective read_preference(const JsonView& json) {
  expect_keys(json, {"losses", "beta", "label_smoothing", "chosen_nll", "truth_nll"});
  PreferenceObjective objective;
  if (const auto losses = json.find("losses")) {
    objective.losses.clear();
    for (const std::string& name : losses->keys()) {
      const auto found = std::find(kPreferenceLosses.begin(), kPreferenceLosses.end(), name);
      if (found == kPreferenceLosses.end())
        losses->at(name).fail("is no preference loss",
                              fmt::format("use {}", fmt::join(kPreferenceLosses, ", ")));
      objective.losses.emplace_back(static_cast<PreferenceLoss>(found - kPreferenceLosses.begin()),
                                    double_in(*losses, name, 1, 0, 1000));
    }
  }
  objective.shape.beta = double_in(json, "beta", objective.shape.beta, 1e-6, 1000);
  objective.shape.label_smoothing = double_in(json, "label_smoothing", 0, 0, 0.499);
  objective.chosen_nll = double_in(json, "chosen_nll", 0, 0, 1000);
  objective.truth_nll = double_in(json, "truth_nll", 0, 0, 1000);
  double all = objective.chosen_nll + objective.truth_nll;
  for (const auto& [loss, weight] : objective.losses) all += weight;
  if (all <= 0) json.fail("gives every loss weight 0", "set one above 0");
  return objective;
}

}  // namespace tarsier
