#pragma once

#include "tarsier/base/json.h"
#include "tarsier/data/corrupt/corrupt.h"
#include "tarsier/data/pairs/pair_rule.h"
#include "tarsier/rollout/sample_rows.h"

namespace tarsier {

/// The settings of data corrupt, data sample and data pairs as objects of recipes, by the names of
/// their flags. What an object leaves out is as in `settings`. ConfigError names the key.
CorruptionSettings read_corruption(const JsonView& json);
SampleSettings read_sample(const JsonView& json, SampleSettings settings);
PairSettings read_pairs(const JsonView& json, PairSettings settings);

}  // namespace tarsier
