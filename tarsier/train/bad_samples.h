#pragma once

#include <string>

#include "tarsier/train/prefetch.h"
#include "tarsier/train/train_state.h"

namespace tarsier {

/// Names the samples of a step that could not be used and counts them with the good ones.
/// InputError when more than `max_bad` of all samples so far are bad, a first one excepted unless
/// `max_bad` is 0.
void count_bad(const StepData& data, double max_bad, TrainState& state);

/// The ids of a step's samples, for a message: "a, b, c".
std::string ids_of(const StepData& data);

}  // namespace tarsier
