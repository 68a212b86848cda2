#include "tarsier/media/yuv_to_rgb.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace tarsier {
namespace {

// Every third luma and chroma value against the formula in doubles.
TEST(YuvToRgb, RoundsTheStandardsFormula) {
  std::vector<std::uint8_t> y, u, v;
  for (int i = 0; i < 256; i += 3) {
    for (int j = 0; j < 256; j += 3) {
      for (int k = 0; k < 256; k += 3) {
        y.push_back(static_cast<std::uint8_t>(i));
        u.push_back(static_cast<std::uint8_t>(j));
        v.push_back(static_cast<std::uint8_t>(k));
      }
    }
  }
  const auto count = static_cast<std::int64_t>(y.size());
  std::vector<std::uint8_t> rgb(y.size() * 3);
  for (const YuvColour colour :
       {YuvColour{}, {0.299, 0.114, true}, {0.2126, 0.0722, false}, {0.2627, 0.0593, true}}) {
    yuv_to_rgb({y.data(), u.data(), v.data(), count, count, count, 0, 0}, {1, count}, colour,
               rgb.data());
    const double green = 1 - colour.red_weight - colour.blue_weight;
    const double chroma = colour.full_range ? 2 : 2 * 255.0 / 224;
    std::int64_t off = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double luma = colour.full_range ? y[i] : (y[i] - 16) * 255.0 / 219;
      const double blue = (u[i] - 128) * chroma * (1 - colour.blue_weight);
      const double red = (v[i] - 128) * chroma * (1 - colour.red_weight);
      const double exact[] = {luma + red,
                              luma - (blue * colour.blue_weight + red * colour.red_weight) / green,
                              luma + blue};
      for (std::size_t c = 0; c < 3; ++c) {
        off += std::abs(rgb[i * 3 + c] - std::clamp(exact[c], 0.0, 255.0)) > 0.5001 ? 1 : 0;
      }
    }
    EXPECT_EQ(off, 0);
  }
}

TEST(YuvToRgb, RepeatsChromaAtOddEdges) {
  // 3 x 3 pixels share 2 x 2 chroma samples.
  const std::vector<std::uint8_t> y(9, 128), u = {128, 128, 128, 128}, v = {128, 255, 0, 128};
  std::vector<std::uint8_t> rgb(27);
  yuv_to_rgb({y.data(), u.data(), v.data(), 3, 2, 2, 1, 1}, {3, 3}, {0.299, 0.114, true},
             rgb.data());
  const auto red = [&](int row, int column) {
    return rgb[static_cast<std::size_t>((row * 3 + column) * 3)];
  };
  EXPECT_EQ(red(0, 0), 128);
  EXPECT_EQ(red(1, 1), 128);
  EXPECT_EQ(red(0, 2), 255);
  EXPECT_EQ(red(1, 2), 255);
  EXPECT_EQ(red(2, 0), 0);
  EXPECT_EQ(red(2, 1), 0);
  EXPECT_EQ(red(2, 2), 128);
}

}  // namespace
}  // namespace tarsier
