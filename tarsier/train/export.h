#pragma once

#include <filesystem>

#include "tarsier/models/video_language_model.h"
#include "tarsier/train/recipe.h"

namespace tarsier {

/// Writes a model directory others can load: the configuration and tokenizer files of the model the
/// recipe started from, the trained weights, and manifest.json with SHA-256. Whole or not at all.
void export_model(VideoLanguageModel& model, const Recipe& recipe,
                  const std::filesystem::path& directory);

}  // namespace tarsier
