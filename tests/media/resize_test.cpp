#include "tarsier/media/resize.h"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>

#include "crc32.h"
#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/base/random.h"
#include "tarsier/media/resize_passes.h"

namespace tarsier {
namespace {

using testing::crc32_of;

// The formula of tools/fixtures/make_resize_fixtures.py.
std::vector<std::uint8_t> fixture_picture(Size size, std::int64_t seed) {
  std::vector<std::uint8_t> rgb;
  for (std::int64_t y = 0; y < size.height; ++y) {
    for (std::int64_t x = 0; x < size.width; ++x) {
      for (std::int64_t c = 0; c < 3; ++c) {
        rgb.push_back(static_cast<std::uint8_t>(
            ((x * 31 + y * 17 + c * 101 + seed * 7) ^ (x * y + c * 13)) & 255));
      }
    }
  }
  return rgb;
}

Size size_of(const JsonView& view) { return {view.at(0).as_int(), view.at(1).as_int()}; }

JsonView fixture() {
  return read_json(TARSIER_SOURCE_DIR "/tests/fixtures/media/resize.json", JsonOwner::input);
}

TEST(Resize, EqualsPillowBitForBit) {
  const JsonView rows = fixture().at("pictures");
  ASSERT_GT(rows.size(), 20);
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const JsonView row = rows.at(i);
    const Size from = size_of(row.at("from"));
    const Size to = size_of(row.at("to"));
    const auto picture = fixture_picture(from, row.at("seed").as_int());
    EXPECT_EQ(crc32_of(resize_bicubic(picture, from, to)), row.at("bicubic").as_int())
        << "row " << i;
    EXPECT_EQ(crc32_of(resize_bilinear(picture, from, to)), row.at("bilinear").as_int())
        << "row " << i;
  }
}

TEST(Resize, CutsOvershootLikePillow) {
  const Size size{40, 60};
  std::vector<std::uint8_t> stripes(40 * 60 * 3);
  for (std::size_t y = 0; y < 40; ++y) {
    for (std::size_t x = 0; x < 60; ++x) {
      std::uint8_t* pixel = &stripes[(y * 60 + x) * 3];
      if (y % 2 == 0) pixel[0] = 255;
      if (x % 3 == 0) pixel[1] = 255;
      if (y >= 10 && y < 20 && x >= 10 && x < 30) pixel[2] = 255;
    }
  }
  const JsonView row = fixture().at("stripes");
  EXPECT_EQ(crc32_of(resize_bicubic(stripes, size, size_of(row.at("to")))),
            row.at("bicubic").as_int());
  EXPECT_EQ(crc32_of(resize_bilinear(stripes, size, size_of(row.at("to")))),
            row.at("bilinear").as_int());
}

TEST(Resize, GivesTheSpecificationsExample) {
  const Size from{72, 128};
  std::vector<std::uint8_t> picture;
  for (std::int64_t y = 0; y < from.height; ++y) {
    for (std::int64_t x = 0; x < from.width; ++x) {
      picture.push_back(static_cast<std::uint8_t>((7 * x + 13 * y) % 256));
      picture.push_back(static_cast<std::uint8_t>((3 * x + 5 * y) % 256));
      picture.push_back(static_cast<std::uint8_t>((x * x + y) % 256));
    }
  }
  const auto pixel = [](const std::vector<std::uint8_t>& rgb, std::size_t width, std::size_t y,
                        std::size_t x) {
    const std::uint8_t* p = &rgb[(y * width + x) * 3];
    return std::vector<int>{p[0], p[1], p[2]};
  };
  const auto small = resize_bicubic(picture, from, {50, 90});
  EXPECT_EQ(crc32_of(small), 0x7e3d803bU);
  EXPECT_EQ(pixel(small, 90, 0, 0), (std::vector<int>{5, 2, 0}));
  EXPECT_EQ(pixel(small, 90, 25, 45), (std::vector<int>{153, 118, 90}));
  EXPECT_EQ(pixel(small, 90, 49, 89), (std::vector<int>{0, 222, 73}));
  EXPECT_EQ(std::accumulate(small.begin(), small.end(), 0), 1674242);
  const auto large = resize_bicubic(picture, from, {84, 140});
  EXPECT_EQ(crc32_of(large), 0x6efb8d15U);
  EXPECT_EQ(pixel(large, 140, 42, 70), (std::vector<int>{147, 116, 37}));
  EXPECT_EQ(pixel(large, 140, 83, 139), (std::vector<int>{20, 224, 72}));
  EXPECT_EQ(std::accumulate(large.begin(), large.end(), 0), 4376516);
}

TEST(Resize, TheSameSizeIsACopy) {
  const auto picture = fixture_picture({9, 4}, 3);
  EXPECT_EQ(resize_bicubic(picture, {9, 4}, {9, 4}), picture);
}

TEST(Resize, RefusesPicturesOfTheWrongLength) {
  EXPECT_THROW(resize_bicubic(std::vector<std::uint8_t>(11), {2, 2}, {1, 1}), InternalError);
  EXPECT_THROW(resize_bicubic(std::vector<std::uint8_t>(12), {2, 2}, {0, 1}), InternalError);
}

TEST(Resize, FastPassesEqualThePortableOnes) {
  const ResizePasses fast = fast_resize_passes();
  const ResizePasses portable = portable_resize_passes();
  Random random({1, 2, 3});
  for (int turn = 0; turn < 200; ++turn) {
    const std::int64_t in = random.integer(1, 70);
    const std::int64_t out = random.integer(1, 70);
    const auto weights = make_resize_weights(
        in, out, turn % 2 == 0 ? ResizeFilter::bicubic : ResizeFilter::bilinear);
    std::vector<std::uint8_t> row(static_cast<std::size_t>(in * 3 + kResizeSlack));
    for (auto& value : row)
      value = random.chance(0.5) ? static_cast<std::uint8_t>(random.integer(0, 255)) : 255;
    std::vector<std::uint8_t> a(static_cast<std::size_t>(out * 3)), b(a);
    fast.horizontal(weights, row.data(), a.data());
    portable.horizontal(weights, row.data(), b.data());
    ASSERT_EQ(a, b) << in << " to " << out;

    constexpr std::int64_t kStride = 96;
    std::vector<std::uint8_t> rows(static_cast<std::size_t>(in * kStride));
    for (auto& value : rows)
      value = random.chance(0.5) ? static_cast<std::uint8_t>(random.integer(0, 255)) : 0;
    const std::int64_t bytes = random.integer(1, kStride);
    for (std::size_t i = 0; i < static_cast<std::size_t>(out); ++i) {
      std::vector<std::uint8_t> c(kStride), d(kStride);
      const std::span<const std::int32_t> w(weights.of(static_cast<std::int64_t>(i)),
                                            static_cast<std::size_t>(weights.count[i]));
      fast.vertical(w, rows.data() + weights.first[i] * kStride, kStride, bytes, c.data());
      portable.vertical(w, rows.data() + weights.first[i] * kStride, kStride, bytes, d.data());
      c.resize(static_cast<std::size_t>(bytes)), d.resize(static_cast<std::size_t>(bytes));
      ASSERT_EQ(c, d) << in << " to " << out;
    }
  }
}

// Not a measurement, only a guard against losing the vector code by an order of magnitude; see
// benchmarks for figures.
TEST(Resize, IsFastEnoughToTrainOn) {
  const auto picture = fixture_picture({336, 336}, 1);
  double best = 1e9;
  for (int turn = 0; turn < 20; ++turn) {
    const auto begin = std::chrono::steady_clock::now();
    const auto out = resize_bicubic(picture, {336, 336}, {84, 84});
    best = std::min(
        best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
                  .count());
    ASSERT_EQ(out.size(), 84U * 84U * 3U);
  }
  RecordProperty("milliseconds", std::to_string(best));
  EXPECT_LT(best, 50);
}

}  // namespace
}  // namespace tarsier
