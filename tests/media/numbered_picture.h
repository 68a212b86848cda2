#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/media/frame.h"

namespace tarsier::testing {

inline constexpr int kNumberBits = 8;

/// A picture that says which one it is: kNumberBits columns, white for 1, over the top half; a
/// moving gradient below, so that pictures differ everywhere and predicted ones need their
/// references.
inline std::vector<std::uint8_t> numbered_picture(std::int64_t number, Size size) {
  std::vector<std::uint8_t> rgb;
  rgb.reserve(static_cast<std::size_t>(size.height * size.width * 3));
  for (std::int64_t y = 0; y < size.height; ++y) {
    for (std::int64_t x = 0; x < size.width; ++x) {
      const std::int64_t column = x * kNumberBits / size.width;
      const bool on = ((number >> column) & 1) != 0;
      if (y < size.height / 2) {
        rgb.insert(rgb.end(), 3, on ? 235 : 20);
      } else {
        rgb.push_back(static_cast<std::uint8_t>((x * 2 + number * 5) % 256));
        rgb.push_back(static_cast<std::uint8_t>((y * 3 + number * 3) % 256));
        rgb.push_back(static_cast<std::uint8_t>((x + y + number * 7) % 256));
      }
    }
  }
  return rgb;
}

/// The number in a picture of numbered_picture, after lossy coding.
inline std::int64_t number_in(const Frame& frame) {
  std::int64_t number = 0;
  const std::int64_t y = frame.height / 4;
  for (std::int64_t column = 0; column < kNumberBits; ++column) {
    const std::int64_t x = (2 * column + 1) * frame.width / (2 * kNumberBits);
    if (frame.rgb[static_cast<std::size_t>((y * frame.width + x) * 3 + 1)] > 127)
      number |= std::int64_t{1} << column;
  }
  return number;
}

}  // namespace tarsier::testing
