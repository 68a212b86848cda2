#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "tarsier/synth/world.h"

namespace tarsier {

/// Draws the frames of one clip, side x side, anti-aliased; the faint background texture is made
/// once. The same bytes on every machine. Not thread-safe; make one per thread. Keeps its own copy
/// of the clip.
class Renderer {
 public:
  explicit Renderer(Clip clip, std::int64_t side = 336);  // ConfigError unless 1 <= side <= 4096
  /// Fills rgb [side, side, 3] with the picture at a time in seconds.
  void render(double seconds, std::span<std::uint8_t> rgb);
  std::vector<std::uint8_t> render(double seconds);
  std::int64_t side() const { return side_; }

 private:
  const std::vector<std::uint8_t>& canvas(Background background);

  Clip clip_;
  std::int64_t side_;
  std::array<std::vector<std::uint8_t>, kBackgrounds>
      canvases_;  // [side, side, 3] each, made when first seen
};

/// One frame, rgb [side, side, 3]. For many frames of one clip use a Renderer.
std::vector<std::uint8_t> render(const Clip& clip, double seconds, std::int64_t side = 336);

std::array<std::uint8_t, 3> rgb_of(Colour colour);
std::array<std::uint8_t, 3> rgb_of(Background background);

}  // namespace tarsier
