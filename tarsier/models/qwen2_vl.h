#pragma once

#include <filesystem>

#include "tarsier/base/json.h"
#include "tarsier/models/family.h"

namespace tarsier {

/// Plain Qwen2-VL (model_type qwen2_vl).
Network qwen2_vl_network(const JsonView& config);
Family qwen2_vl_family(const std::filesystem::path& directory, const JsonView& config,
                       const LoadOptions& options);

}  // namespace tarsier
