#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <memory>

#include "tarsier/models/video_language_model.h"
#include "tarsier/train/recipe.h"
#include "tarsier/train/run_facts.h"

namespace tarsier {

/// The recipe's model, with weights that can learn, in the recipe's type of numbers.
std::shared_ptr<VideoLanguageModel> load_trainable(const Recipe& recipe);

/// The type the recipe computes in; of "auto", what this CPU multiplies natively.
at::ScalarType compute_dtype(const Recipe& recipe);

/// Micro-batches side by side: the recipe's workers, at most one an intra-op thread.
std::int64_t worker_count(const Recipe& recipe);

/// How this process computes, for machine.json.
Facts compute_facts(const Recipe& recipe);

/// Activations come and go at the same sizes every step: giving their pages back to the system and
/// faulting them in again would cost a tenth of it.
void keep_freed_memory();

}  // namespace tarsier
