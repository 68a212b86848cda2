#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tarsier {

/// The weights of one axis: output pixel i is the sum over t < count[i] of input[first[i] + t] *
/// weight(i, t), rounded and shifted right by kResizeBits. Taps are padded with zero weights to a
/// multiple of four.
struct ResizeWeights {
  std::int64_t taps = 0;  // per output pixel, padding included
  std::vector<std::int64_t> first;
  std::vector<std::int64_t> count;
  std::vector<std::int32_t> weights;  // [outputs, taps]

  const std::int32_t* of(std::int64_t output) const { return weights.data() + output * taps; }
};
inline constexpr int kResizeBits = 22;
/// Bytes a pass may read past the end of a row; it never uses them.
inline constexpr std::int64_t kResizeSlack = 32;

/// One row of `weights.first.size()` RGB pixels out of `row`, which has kResizeSlack readable bytes
/// after its end.
using HorizontalPass = void (*)(const ResizeWeights& weights, const std::uint8_t* row,
                                std::uint8_t* out);
/// One row of `bytes` values: the weighted sum of `count` rows, `stride` bytes apart, from `rows`
/// on. `stride` and the room behind `out` are multiples of kResizeSlack.
using VerticalPass = void (*)(std::span<const std::int32_t> weights, const std::uint8_t* rows,
                              std::int64_t stride, std::int64_t bytes, std::uint8_t* out);

struct ResizePasses {
  HorizontalPass horizontal;
  VerticalPass vertical;
};

/// Plain loops: the specification the others are tested against.
ResizePasses portable_resize_passes();
/// Passes for this machine's widest supported instruction set; the portable ones where there is
/// none.
ResizePasses fast_resize_passes();

enum class ResizeFilter { bilinear, bicubic };
/// The weights that take `in` pixels to `out`, both positive.
ResizeWeights make_resize_weights(std::int64_t in, std::int64_t out, ResizeFilter filter);

}  // namespace tarsier
