#pragma once

#include <filesystem>
#include <memory>

#include "tarsier/base/json.h"
#include "tarsier/models/video_language_model.h"

namespace tarsier {

/// Tarsier2 (model_type llava around qwen2_vl): Qwen2-VL with every frame shown twice and a pixel
/// budget of its own.
std::shared_ptr<VideoLanguageModel> load_tarsier2(const std::filesystem::path& directory,
                                                  const JsonView& config,
                                                  const LoadOptions& options);

}  // namespace tarsier
