#pragma once

#include <filesystem>

#include "tarsier/base/json.h"
#include "tarsier/models/family.h"

namespace tarsier {

/// video-SALMONN 2+ (model_type qwen2_5_vl with an audio_config): Qwen2.5-VL that hears, with a
/// prompt of its own (models-video-salmonn-2.md 2.7-2.12, 3.2, 4.1).
Network salmonn2_plus_network(const JsonView& config);
Family salmonn2_plus_family(const std::filesystem::path& directory, const JsonView& config,
                            const LoadOptions& options);

}  // namespace tarsier
