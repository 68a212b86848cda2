#pragma once

#include <filesystem>
#include <memory>

#include "tarsier/base/json.h"
#include "tarsier/models/video_language_model.h"

namespace tarsier {

/// video-SALMONN 2+ (model_type qwen2_5_vl with an audio_config): Qwen2.5-VL that hears, with a
/// prompt of its own (models-video-salmonn-2.md 2.7-2.12, 3.2, 4.1).
std::shared_ptr<VideoLanguageModel> load_salmonn2_plus(const std::filesystem::path& directory,
                                                       const JsonView& config,
                                                       const LoadOptions& options);

}  // namespace tarsier
