#pragma once

#include <filesystem>
#include <memory>

#include "tarsier/base/json.h"
#include "tarsier/models/video_language_model.h"

namespace tarsier {

/// Plain Qwen2-VL (model_type qwen2_vl).
std::shared_ptr<VideoLanguageModel> load_qwen2_vl(const std::filesystem::path& directory,
                                                  const JsonView& config,
                                                  const LoadOptions& options);

}  // namespace tarsier
