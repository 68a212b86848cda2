#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tarsier/media/frame.h"

namespace tarsier {

/// Scales an [height, width, 3] picture, bit for bit as the Image.resize of Pillow before 13 with
/// BICUBIC (a = -0.5, antialiased, 22-bit fixed point, the horizontal pass always first, 8 bits
/// between the passes). The same size is a copy. The instruction set is picked at run time; results
/// are identical on all. Thread-safe.
std::vector<std::uint8_t> resize_bicubic(std::span<const std::uint8_t> rgb, Size from, Size to);

/// The same with Pillow's BILINEAR (antialiased triangle filter).
std::vector<std::uint8_t> resize_bilinear(std::span<const std::uint8_t> rgb, Size from, Size to);

}  // namespace tarsier
