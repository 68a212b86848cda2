#pragma once

#include <filesystem>

#include "tarsier/base/json.h"
#include "tarsier/models/family.h"

namespace tarsier {

/// LLaVA-OneVision-Qwen2: videos, or one image (models-video-salmonn-2.md 2.6). Several images are
/// not supported, and images are not trained with.
Network llava_onevision_network(const std::filesystem::path& directory, const JsonView& config);
Family llava_onevision_family(const std::filesystem::path& directory, const JsonView& config,
                              const LoadOptions& options);

}  // namespace tarsier
