#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "tarsier/media/frame.h"

namespace tarsier {

/// Writes an [height, width, 3] picture as a PNG file that appears whole or not at all.
/// ResourceError: cannot be written.
void write_png(const std::filesystem::path& file, std::span<const std::uint8_t> rgb, Size size);

}  // namespace tarsier
