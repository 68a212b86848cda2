#pragma once

#include <filesystem>
#include <memory>

#include "tarsier/base/json.h"
#include "tarsier/models/video_language_model.h"

namespace tarsier {

/// Tarsier, first generation (model_type llava around llama): CLIP's tower, a two-layer projector,
/// row and frame tokens from the vocabulary, a Llama or Yi decoder, and a prompt of its own
/// (models-tarsier.md 2.2-2.5, 4.3, 5.1).
std::shared_ptr<VideoLanguageModel> load_tarsier(const std::filesystem::path& directory,
                                                 const JsonView& config,
                                                 const LoadOptions& options);

}  // namespace tarsier
