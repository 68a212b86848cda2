#pragma once

#include <filesystem>
#include <memory>

#include "tarsier/base/json.h"
#include "tarsier/models/video_language_model.h"

namespace tarsier {

/// LLaVA-OneVision-Qwen2, videos alone (models-video-salmonn-2.md 2.6).
std::shared_ptr<VideoLanguageModel> load_llava_onevision(const std::filesystem::path& directory,
                                                         const JsonView& config,
                                                         const LoadOptions& options);

}  // namespace tarsier
