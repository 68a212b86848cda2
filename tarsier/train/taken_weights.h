#pragma once

#include <span>

#include "tarsier/models/video_language_model.h"
#include "tarsier/train/recipe.h"

namespace tarsier {

/// Copies weights of other models into `model`, by their paths: a decoder that can talk into a
/// model that begins to see and hear. A table of words that is longer here takes the other's as its
/// first rows. ConfigError for a pattern that is the beginning of no path of both, and for other
/// shapes that differ.
void take_weights(VideoLanguageModel& model, std::span<const TakenWeights> from);

}  // namespace tarsier
