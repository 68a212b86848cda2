#pragma once

#include <filesystem>

#include "tarsier/base/json.h"
#include "tarsier/models/family.h"

namespace tarsier {

/// LLaVA-OneVision-Qwen2, videos alone (models-video-salmonn-2.md 2.6).
Network llava_onevision_network(const std::filesystem::path& directory, const JsonView& config);
Family llava_onevision_family(const std::filesystem::path& directory, const JsonView& config,
                              const LoadOptions& options);

}  // namespace tarsier
