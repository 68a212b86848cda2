#pragma once

#include <cstdint>
#include <filesystem>

#include "tarsier/synth/world.h"

namespace tarsier {

/// Renders a clip to an H.264 mp4 of 25 frames a second, CRF 23. The frames are the same on every
/// machine, the encoded file need not be. Throws as VideoWriter does.
void write_clip(const Clip& clip, const std::filesystem::path& file, std::int64_t side = 336);

}  // namespace tarsier
