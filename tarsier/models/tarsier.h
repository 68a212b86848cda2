#pragma once

#include <filesystem>

#include "tarsier/base/json.h"
#include "tarsier/models/family.h"

namespace tarsier {

/// Tarsier, first generation (model_type llava around llama): CLIP's tower, a two-layer projector,
/// row and frame tokens from the vocabulary, a Llama or Yi decoder, and a prompt of its own
/// (models-tarsier.md 2.2-2.5, 4.3, 5.1).
Network tarsier_network(const JsonView& config);
Family tarsier_family(const std::filesystem::path& directory, const JsonView& config,
                      const LoadOptions& options);

}  // namespace tarsier
