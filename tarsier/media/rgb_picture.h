#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tarsier/media/ffmpeg_handles.h"
#include "tarsier/media/frame.h"

namespace tarsier::ffmpeg {

/// A quarter turn or mirror image: output pixel (x, y) is input pixel (u, v), each a signed copy of
/// x or y.
struct Orientation {
  bool transposed = false;  // u follows y, v follows x
  bool flip_u = false;
  bool flip_v = false;
  Size apply(Size size) const { return transposed ? Size{size.width, size.height} : size; }
};
/// From a display matrix of 9 values (empty: upright). InputError naming `where` when it is not a
/// quarter turn.
Orientation orientation_of(std::span<const std::int32_t> matrix, const std::string& where);

/// Turns decoded pictures into upright RGB. Keeps its scaler between pictures of one kind. Not
/// thread-safe.
class RgbConverter {
 public:
  /// [height, width, 3] of `frame`, turned. InputError naming `where` for a pixel format that
  /// cannot be converted.
  std::vector<std::uint8_t> convert(const AVFrame& frame, const Orientation& orientation,
                                    const std::string& where);

 private:
  void convert_yuv(const AVFrame& frame, std::vector<std::uint8_t>& rgb, const std::string& where);

  ScalerPtr scaler_;
  std::vector<int> scaler_key_;
};

}  // namespace tarsier::ffmpeg
