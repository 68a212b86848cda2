#pragma once

#include <string>

#include "tarsier/train/prefetch.h"
#include "tarsier/train/train_state.h"

namespace tarsier {

/// Names the samples of a step that this rank could not use, and counts the `bad` ones of all ranks
/// with the good ones. InputError, on every rank, when more than `max_bad` of all samples so far
/// are bad.
void count_bad(const StepData& data, std::int64_t bad, double max_bad, TrainState& state);

/// The ids of a step's samples, for a message: "a, b, c".
std::string ids_of(const StepData& data);

}  // namespace tarsier
