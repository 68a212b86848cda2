#pragma once

#include <cstdint>

namespace tarsier {

/// How many patches one image or video (or one frame of it) has along each axis; height and width
/// are multiples of the merge size. Upstream: one row of image_grid_thw.
struct PatchGrid {
  std::int64_t time = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;

  std::int64_t patches() const { return time * height * width; }
  /// What the decoder sees of it: one token per merge_size x merge_size block.
  std::int64_t media_tokens(std::int64_t merge_size) const {
    return patches() / (merge_size * merge_size);
  }
  bool operator==(const PatchGrid&) const = default;
};

}  // namespace tarsier
