#pragma once

#include <filesystem>

#include "tarsier/base/json.h"
#include "tarsier/models/family.h"

namespace tarsier {

/// Whether a LlavaQwen directory is video-SALMONN 2's rather than its base model's: it holds a
/// salmonn2_config.json, or weights for sound.
bool is_salmonn2(const std::filesystem::path& directory);

/// video-SALMONN 2, merged (models-video-salmonn-2.md, "V1"): videos with their sound, videos
/// without, and sound alone; without weights for sound, videos alone. Whisper's weights may lie in
/// a directory that salmonn2_config.json names. CheckpointError names the file and what is wrong
/// with it.
Network salmonn2_network(const std::filesystem::path& directory, const JsonView& config);
Family salmonn2_family(const std::filesystem::path& directory, const JsonView& config,
                       const LoadOptions& options);

}  // namespace tarsier
