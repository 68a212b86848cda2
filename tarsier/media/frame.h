#pragma once

#include <cstdint>
#include <vector>

namespace tarsier {

/// A picture's size in pixels, height first, as tensors have it.
struct Size {
  std::int64_t height = 0;
  std::int64_t width = 0;
  bool operator==(const Size&) const = default;
};

/// One decoded picture, upright: the container's rotation is already applied.
struct Frame {
  std::int64_t index = 0;  // in presentation order, from 0
  double seconds = 0;      // presentation time, from the start of the container
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::uint8_t> rgb;  // [height, width, 3]
};

}  // namespace tarsier
