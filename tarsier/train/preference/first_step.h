#pragma once

#include "tarsier/train/compute_choice.h"
#include "tarsier/train/preference/objective.h"
#include "tarsier/train/preference/pair_weights.h"
#include "tarsier/train/prefetch.h"

namespace tarsier {

/// Before the first update policy and reference are one: the loss is that of equal rewards (of
/// DPO's ln 2, within 1e-3) and the rewards of each pair are equal (in f32 within 1e-6, where the
/// reference's log-probabilities are our own). ConfigError when they are not (training.md 5.4):
/// what follows would measure from something else.
void check_first_step(const PairReport& pairs, const StepData& data,
                      const PreferenceObjective& objective, const ComputeChoice& compute);

}  // namespace tarsier
