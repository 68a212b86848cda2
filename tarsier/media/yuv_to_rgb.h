#pragma once

#include <cstddef>
#include <cstdint>

#include "tarsier/media/frame.h"

namespace tarsier {

/// How a video's luma and chroma stand for red, green and blue.
struct YuvColour {
  double red_weight = 0.299;   // of red in luma: 0.299 for BT.601, 0.2126 for BT.709
  double blue_weight = 0.114;  // 0.114 and 0.0722
  bool full_range = false;     // 0 .. 255 rather than 16 .. 235 and 16 .. 240
};

/// Three planes of 8 bits; chroma planes have one sample for 2^shift pixels of each axis.
struct YuvPlanes {
  const std::uint8_t* y = nullptr;
  const std::uint8_t* u = nullptr;
  const std::uint8_t* v = nullptr;
  std::ptrdiff_t y_stride = 0;
  std::ptrdiff_t u_stride = 0;
  std::ptrdiff_t v_stride = 0;
  int chroma_shift_x = 1;
  int chroma_shift_y = 1;
};

/// Writes `size` pixels of packed RGB: the standard's formula, rounded to nearest (in 16-bit fixed
/// point), cut to 0 .. 255. Chroma is repeated, not interpolated, as plain converters and the
/// reference decoders do. The same on every machine.
void yuv_to_rgb(const YuvPlanes& planes, Size size, const YuvColour& colour, std::uint8_t* rgb);

}  // namespace tarsier
