#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/media/resize.h"
#include "tarsier/processors/square_frames.h"

namespace tarsier {

/// LLaVA-OneVision's "anyres_max_N" (models-video-salmonn-2.md 2.6).
struct AnyresConfig {
  std::vector<Size> canvases;  // in pixels, multiples of a square's side; the first of equals wins
  std::int64_t max_tiles = 9;  // N: more patches than these have are shrunk
};

/// How one image becomes squares, and what is left of their patches: the whole image in one square
/// first, then a canvas of rows x columns squares with the image centred on black.
struct AnyresPlan {
  std::int64_t rows = 1, columns = 1;
  Size scaled;        // of the image on the canvas, in pixels
  Size offset, kept;  // of the canvas's patches: where those of the image begin, how many
  Size shrunk;        // `kept` brought down to the limit; `kept` where it is within
  std::int64_t squares() const { return 1 + rows * columns; }
  /// A token a patch, and a newline behind each row of the canvas's.
  std::int64_t tokens(std::int64_t grid_side) const {
    return grid_side * grid_side + shrunk.height * (shrunk.width + 1);
  }
};

/// `side` pixels and `grid_side` patches along a square. InputError for an image so thin that
/// nothing is left of it.
AnyresPlan plan_anyres(Size source, const AnyresConfig& config, std::int64_t side,
                       std::int64_t grid_side);

/// The squares, f32 [squares, 3, side, side]: Pillow's bicubic, normalised.
Tensor anyres_squares(const Frame& image, const AnyresPlan& plan, const SquareImageConfig& config);

}  // namespace tarsier
