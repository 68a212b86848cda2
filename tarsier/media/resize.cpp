#include "tarsier/media/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tarsier/base/error.h"
#include "tarsier/media/resize_passes.h"

namespace tarsier {
namespace {

double triangle(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double keys_cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

std::vector<std::uint8_t> widen(std::span<const std::uint8_t> rgb, Size from, std::int64_t width,
                                std::int64_t stride, ResizeFilter filter, HorizontalPass pass) {
  const ResizeWeights weights = make_resize_weights(from.width, width, filter);
  std::vector<std::uint8_t> out(static_cast<std::size_t>(from.height * stride + kResizeSlack));
  std::vector<std::uint8_t> row(static_cast<std::size_t>(from.width * 3 + kResizeSlack));
  for (std::int64_t y = 0; y < from.height; ++y) {
    std::memcpy(row.data(), rgb.data() + y * from.width * 3,
                static_cast<std::size_t>(from.width * 3));
    pass(weights, row.data(), out.data() + y * stride);
  }
  return out;
}

std::vector<std::uint8_t> resize(std::span<const std::uint8_t> rgb, Size from, Size to,
                                 ResizeFilter filter) {
  check(from.height > 0 && from.width > 0 && to.height > 0 && to.width > 0,
        "a resize has positive sizes");
  check(static_cast<std::int64_t>(rgb.size()) == from.height * from.width * 3,
        "a picture has height x width x 3 bytes");
  if (from == to) return {rgb.begin(), rgb.end()};
  const ResizePasses passes = fast_resize_passes();
  const std::int64_t bytes = to.width * 3;
  const std::int64_t stride = round_up(bytes, kResizeSlack);

  std::vector<std::uint8_t> wide;  // [from.height, stride]
  if (from.width != to.width) {
    wide = widen(rgb, from, to.width, stride, filter, passes.horizontal);
  } else {
    wide.resize(static_cast<std::size_t>(from.height * stride));
    for (std::int64_t y = 0; y < from.height; ++y) {
      std::memcpy(wide.data() + y * stride, rgb.data() + y * bytes,
                  static_cast<std::size_t>(bytes));
    }
  }

  std::vector<std::uint8_t> out(static_cast<std::size_t>(to.height * bytes));
  if (from.height == to.height) {
    for (std::int64_t y = 0; y < to.height; ++y) {
      std::memcpy(out.data() + y * bytes, wide.data() + y * stride,
                  static_cast<std::size_t>(bytes));
    }
    return out;
  }
  const ResizeWeights weights = make_resize_weights(from.height, to.height, filter);
  std::vector<std::uint8_t> row(static_cast<std::size_t>(stride));
  for (std::int64_t y = 0; y < to.height; ++y) {
    const auto index = static_cast<std::size_t>(y);
    passes.vertical({weights.of(y), static_cast<std::size_t>(weights.count[index])},
                    wide.data() + weights.first[index] * stride, stride, bytes, row.data());
    std::memcpy(out.data() + y * bytes, row.data(), static_cast<std::size_t>(bytes));
  }
  return out;
}

}  // namespace

// Pillow's precompute_coeffs and normalize_coeffs_8bpc (src/libImaging/Resample.c), operation for
// operation: the doubles must round alike.
ResizeWeights make_resize_weights(std::int64_t in, std::int64_t out, ResizeFilter filter) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double filter_scale = std::max(scale, 1.0);
  const double support = (filter == ResizeFilter::bicubic ? 2.0 : 1.0) * filter_scale;
  const double inverse = 1.0 / filter_scale;
  const auto shape = filter == ResizeFilter::bicubic ? keys_cubic : triangle;

  ResizeWeights result;
  result.taps = round_up(static_cast<std::int64_t>(std::ceil(support)) * 2 + 1, 4);
  result.first.reserve(static_cast<std::size_t>(out));
  result.count.reserve(static_cast<std::size_t>(out));
  result.weights.resize(static_cast<std::size_t>(out * result.taps));
  std::vector<double> unscaled(static_cast<std::size_t>(result.taps));
  for (std::int64_t i = 0; i < out; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const std::int64_t first =
        std::max<std::int64_t>(0, static_cast<std::int64_t>(center - support + 0.5));
    const std::int64_t end = std::min(in, static_cast<std::int64_t>(center + support + 0.5));
    const auto count = static_cast<std::size_t>(end - first);
    double sum = 0.0;
    for (std::size_t t = 0; t < count; ++t) {
      unscaled[t] =
          shape((static_cast<double>(t) + static_cast<double>(first) - center + 0.5) * inverse);
      sum += unscaled[t];
    }
    std::int32_t* weights = result.weights.data() + i * result.taps;
    for (std::size_t t = 0; t < count; ++t) {
      const double weight = (sum != 0.0 ? unscaled[t] / sum : unscaled[t]) * (1 << kResizeBits);
      weights[t] = static_cast<std::int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    result.first.push_back(first);
    result.count.push_back(static_cast<std::int64_t>(count));
  }
  return result;
}

std::vector<std::uint8_t> resize_bicubic(std::span<const std::uint8_t> rgb, Size from, Size to) {
  return resize(rgb, from, to, ResizeFilter::bicubic);
}

std::vector<std::uint8_t> resize_bilinear(std::span<const std::uint8_t> rgb, Size from, Size to) {
  return resize(rgb, from, to, ResizeFilter::bilinear);
}

}  // namespace tarsier
