#pragma once

#include <filesystem>

#include "tarsier/base/json.h"
#include "tarsier/models/family.h"

namespace tarsier {

/// Tarsier2 (model_type llava around qwen2_vl): Qwen2-VL with every frame shown twice and a pixel
/// budget of its own.
Network tarsier2_network(const JsonView& config);
Family tarsier2_family(const std::filesystem::path& directory, const JsonView& config,
                       const LoadOptions& options);

}  // namespace tarsier
