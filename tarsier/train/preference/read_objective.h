#pragma once

#include "tarsier/base/json.h"
#include "tarsier/train/preference/objective.h"

namespace tarsier {

/// A recipe's "preference": {"losses": {NAME: weight}, "beta", "label_smoothing", "chosen_nll",
/// "truth_nll"}; without losses DPO's. ConfigError names the key.
PreferenceObjective read_preference(const JsonView& json);

}  // namespace tarsier
