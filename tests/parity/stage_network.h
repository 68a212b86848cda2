#pragma once

#include "tarsier/models/video_language_model.h"

namespace tarsier {

/// Runs everything of one prompt in one piece without a cache, from pixels to the logits [vocab] of
/// the last row, so that every stage can be looked at under the names of expected.safetensors.
void run_stages(const VideoLanguageModel& model, const ModelInputs& inputs, const StageSink& sink);

}  // namespace tarsier
