#include <algorithm>

#include "tarsier/media/resize_passes.h"

namespace tarsier {
namespace {

constexpr std::int32_t kHalf = 1 << (kResizeBits - 1);

std::uint8_t to_byte(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kResizeBits, 0, 255));
}

void horizontal(const ResizeWeights& weights, const std::uint8_t* row, std::uint8_t* out) {
  for (std::size_t i = 0; i < weights.first.size(); ++i) {
    const std::int32_t* weight = weights.of(static_cast<std::int64_t>(i));
    const std::uint8_t* pixel = row + weights.first[i] * 3;
    std::int32_t red = kHalf, green = kHalf, blue = kHalf;
    for (std::int64_t t = 0; t < weights.count[i]; ++t, pixel += 3) {
      red += pixel[0] * weight[t];
      green += pixel[1] * weight[t];
      blue += pixel[2] * weight[t];
    }
    *out++ = to_byte(red);
    *out++ = to_byte(green);
    *out++ = to_byte(blue);
  }
}

void vertical(std::span<const std::int32_t> weights, const std::uint8_t* rows, std::int64_t stride,
              std::int64_t bytes, std::uint8_t* out) {
  constexpr std::int64_t kBlock = 256;
  std::int32_t sums[kBlock];
  for (std::int64_t begin = 0; begin < bytes; begin += kBlock) {
    const std::int64_t length = std::min(kBlock, bytes - begin);
    std::fill_n(sums, length, kHalf);
    const std::uint8_t* row = rows + begin;
    for (const std::int32_t weight : weights) {
      for (std::int64_t x = 0; x < length; ++x) sums[x] += row[x] * weight;
      row += stride;
    }
    for (std::int64_t x = 0; x < length; ++x) out[begin + x] = to_byte(sums[x]);
  }
}

}  // namespace

ResizePasses portable_resize_passes() { return {horizontal, vertical}; }

}  // namespace tarsier
