// What a file says about its pictures: times, rotation, colour, stills.
#include "tarsier/media/video_reader.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

#include "numbered_video.h"
#include "tarsier/base/error.h"
#include "tarsier/media/png_writer.h"
#include "tarsier/media/sampling.h"

namespace tarsier {
namespace {

using testing::number_in;
using testing::numbered_picture;
using testing::TemporaryFolder;
using testing::write_bytes;
using testing::write_numbered_video;

std::vector<std::uint8_t> plain(Size size, std::uint8_t red, std::uint8_t green,
                                std::uint8_t blue) {
  std::vector<std::uint8_t> rgb;
  for (std::int64_t i = 0; i < size.height * size.width; ++i)
    rgb.insert(rgb.end(), {red, green, blue});
  return rgb;
}

std::vector<int> pixel(const Frame& frame, std::int64_t y, std::int64_t x) {
  const auto at = static_cast<std::size_t>((y * frame.width + x) * 3);
  return {frame.rgb[at], frame.rgb[at + 1], frame.rgb[at + 2]};
}

TEST(VideoReader, KeepsUnevenTimes) {
  const TemporaryFolder folder;
  const std::vector<std::int64_t> times = {0, 40, 80, 1000, 1001, 1500, 4000, 4033};
  for (const char* name : {"uneven.mp4", "uneven.mkv"}) {
    VideoWriter writer(folder / name, {48, 64});
    for (std::size_t i = 0; i < times.size(); ++i) {
      writer.write_at(numbered_picture(static_cast<std::int64_t>(i), {48, 64}), times[i]);
    }
    writer.finish();
    VideoReader reader(folder / name);
    ASSERT_EQ(reader.info().frames, 8);
    for (std::size_t i = 0; i < times.size(); ++i) {
      EXPECT_NEAR(reader.frame_seconds()[i], static_cast<double>(times[i]) / 1000, 1e-9) << name;
    }
    EXPECT_NEAR(reader.info().frames_per_second, 7 / 4.033, 1e-6);
    const FrameRange window =
        frames_in_window(reader.frame_seconds(), reader.info().seconds, 1.2, 2.0);
    EXPECT_EQ(window, (FrameRange{4, 5}));
    EXPECT_EQ(number_in(reader.read(std::vector<std::int64_t>{6})[0]), 6);
  }
}

TEST(VideoReader, OneFrameIsAVideo) {
  const TemporaryFolder folder;
  for (const char* name : {"one.mp4", "one.mkv", "one.avi"}) {
    write_numbered_video(folder / name, {48, 64}, 1);
    VideoReader reader(folder / name);
    EXPECT_EQ(reader.info().frames, 1) << name;
    EXPECT_FALSE(reader.info().is_still_image);
    EXPECT_EQ(reader.frame_seconds(), std::vector<double>{0}) << name;
    EXPECT_EQ(reader.read(std::vector<std::int64_t>{0, 0}).size(), 2U);
  }
}

TEST(VideoReader, RefusesFramesThatAreNotThere) {
  const TemporaryFolder folder;
  write_numbered_video(folder / "clip.mp4", {48, 64}, 5);
  VideoReader reader(folder / "clip.mp4");
  EXPECT_THROW(reader.read(std::vector<std::int64_t>{5}), InputError);
  EXPECT_THROW(reader.read(std::vector<std::int64_t>{3, 2}), InternalError);
  EXPECT_THROW(reader.read(std::vector<std::int64_t>{-1}), InternalError);
  EXPECT_TRUE(reader.read({}).empty());
  EXPECT_EQ(number_in(reader.read(std::vector<std::int64_t>{4})[0]), 4);
}

// The four corners tell the turn: red at the top left of what was encoded, then clockwise green,
// blue, white.
TEST(VideoReader, TurnsPicturesUpright) {
  const TemporaryFolder folder;
  const Size size{48, 80};
  std::vector<std::uint8_t> rgb;
  for (std::int64_t y = 0; y < size.height; ++y) {
    for (std::int64_t x = 0; x < size.width; ++x) {
      const bool top = y < size.height / 2, left = x < size.width / 2;
      if (top && left) rgb.insert(rgb.end(), {200, 0, 0});
      if (top && !left) rgb.insert(rgb.end(), {0, 200, 0});
      if (!top && !left) rgb.insert(rgb.end(), {0, 0, 200});
      if (!top && left) rgb.insert(rgb.end(), {200, 200, 200});
    }
  }
  const auto colour = [](const Frame& frame, std::int64_t y, std::int64_t x) {
    const auto p = pixel(frame, y, x);
    return std::string(p[0] > 100 ? "r" : "") + (p[1] > 100 ? "g" : "") + (p[2] > 100 ? "b" : "");
  };
  const std::vector<std::pair<int, std::vector<std::string>>> expected = {
      {0, {"r", "g", "b", "rgb"}},
      {90, {"rgb", "r", "g", "b"}},
      {180, {"b", "rgb", "r", "g"}},
      {270, {"g", "b", "rgb", "r"}}};
  for (const auto& [degrees, corners] : expected) {
    VideoWriterOptions options;
    options.rotation_degrees = degrees;
    VideoWriter writer(folder / "turned.mp4", size, options);
    writer.write(rgb);
    writer.finish();
    VideoReader reader(folder / "turned.mp4");
    const bool sideways = degrees % 180 != 0;
    EXPECT_EQ(reader.info().height, sideways ? size.width : size.height);
    EXPECT_EQ(reader.info().width, sideways ? size.height : size.width);
    const Frame frame = reader.read(std::vector<std::int64_t>{0})[0];
    ASSERT_EQ(frame.rgb.size(), rgb.size());
    const std::int64_t bottom = frame.height - 5, right = frame.width - 5;
    EXPECT_EQ(colour(frame, 4, 4), corners[0]) << degrees;
    EXPECT_EQ(colour(frame, 4, right), corners[1]) << degrees;
    EXPECT_EQ(colour(frame, bottom, right), corners[2]) << degrees;
    EXPECT_EQ(colour(frame, bottom, 4), corners[3]) << degrees;
  }
}

TEST(VideoReader, FollowsColourRangeAndMatrix) {
  const TemporaryFolder folder;
  const Size size{32, 32};
  for (const bool full_range : {false, true}) {
    for (const char* matrix : {"", "bt601", "bt709"}) {
      for (const auto& rgb : {std::vector<int>{200, 40, 90},
                              {16, 16, 16},
                              {255, 255, 255},
                              {0, 0, 0},
                              {30, 180, 220}}) {
        VideoWriterOptions options;
        options.full_range = full_range;
        options.matrix = matrix;
        options.crf = 1;
        VideoWriter writer(folder / "colour.mp4", size, options);
        writer.write(plain(size, static_cast<std::uint8_t>(rgb[0]),
                           static_cast<std::uint8_t>(rgb[1]), static_cast<std::uint8_t>(rgb[2])));
        writer.finish();
        VideoReader reader(folder / "colour.mp4");
        const auto seen = pixel(reader.read(std::vector<std::int64_t>{0})[0], 16, 16);
        for (std::size_t c = 0; c < 3; ++c) {
          EXPECT_NEAR(seen[c], rgb[c], 3) << matrix << " full " << full_range << " channel " << c;
        }
      }
    }
  }
}

// Lossless RGB comes back as it went in: no conversion touches it.
TEST(VideoReader, LosslessRgbIsExact) {
  const TemporaryFolder folder;
  const Size size{57, 101};
  VideoWriterOptions options;
  options.codec = "libx264rgb";
  options.pixel_format = "rgb24";
  options.crf = 0;
  options.matrix = "";
  write_numbered_video(folder / "exact.mkv", size, 6, options);
  VideoReader reader(folder / "exact.mkv");
  const auto frames = reader.read(std::vector<std::int64_t>{0, 3, 5});
  EXPECT_EQ(frames[0].rgb, numbered_picture(0, size));
  EXPECT_EQ(frames[1].rgb, numbered_picture(3, size));
  EXPECT_EQ(frames[2].rgb, numbered_picture(5, size));
}

TEST(VideoReader, ReadsStillImages) {
  const TemporaryFolder folder;
  const Size size{57, 101};
  const auto picture = numbered_picture(77, size);
  write_png(folder / "still.png", picture, size);
  VideoReader reader(folder / "still.png");
  EXPECT_TRUE(reader.info().is_still_image);
  EXPECT_EQ(reader.info().frames, 1);
  EXPECT_EQ(reader.info().codec, "png");
  EXPECT_EQ(reader.info().frames_per_second, 0);
  EXPECT_EQ(reader.read(std::vector<std::int64_t>{0})[0].rgb, picture);
  EXPECT_EQ(reader.read(std::vector<std::int64_t>{0})[0].rgb, picture);
}

TEST(VideoReader, ReadsTheCommittedPictures) {
  const std::filesystem::path folder = TARSIER_SOURCE_DIR "/tests/fixtures/media";
  const auto first = [&](const char* name) {
    return VideoReader(folder / name).read(std::vector<std::int64_t>{0})[0];
  };
  // 4 x 3 pixels, made by tools/fixtures/make_picture_fixtures.py: value = 20 * x + 60 * y, green +
  // 5, blue + 10.
  for (const char* name : {"rgba.png", "rgb.bmp", "rgb16.png", "lossless.webp"}) {
    const Frame frame = first(name);
    ASSERT_EQ(frame.height, 3) << name;
    ASSERT_EQ(frame.width, 4) << name;
    for (int y = 0; y < 3; ++y) {
      for (int x = 0; x < 4; ++x) {
        const int value = 20 * x + 60 * y;
        EXPECT_EQ(pixel(frame, y, x), (std::vector<int>{value, value + 5, value + 10}))
            << name << ' ' << y << ' ' << x;
      }
    }
  }
  const Frame palette = first("palette.png");
  EXPECT_EQ(pixel(palette, 0, 0), (std::vector<int>{10, 20, 30}));
  EXPECT_EQ(pixel(palette, 2, 3), (std::vector<int>{200, 150, 100}));
  const Frame grey = first("grey.png");
  EXPECT_EQ(pixel(grey, 1, 2), (std::vector<int>{100, 100, 100}));
  // 24 x 16 with EXIF orientation 6: stored red left of blue, shown red above blue.
  const Frame turned = first("exif6.jpg");
  ASSERT_EQ(turned.height, 24);
  ASSERT_EQ(turned.width, 16);
  EXPECT_GT(pixel(turned, 2, 8)[0], 200);
  EXPECT_GT(pixel(turned, 21, 8)[2], 200);
}

TEST(VideoReader, CompositesGifs) {
  // Three 8 x 8 pictures: all red; then a green square over part of it, the rest transparent; then
  // a blue one elsewhere.
  VideoReader reader(TARSIER_SOURCE_DIR "/tests/fixtures/media/layers.gif");
  ASSERT_EQ(reader.info().frames, 3);
  EXPECT_NEAR(reader.frame_seconds()[1], 0.1, 1e-9);
  EXPECT_NEAR(reader.frame_seconds()[2], 0.3, 1e-9);
  EXPECT_NEAR(reader.info().seconds, 0.4, 1e-9);
  const Frame last = reader.read(std::vector<std::int64_t>{2})[0];
  EXPECT_EQ(pixel(last, 7, 7), (std::vector<int>{255, 0, 0}));
  EXPECT_EQ(pixel(last, 1, 1), (std::vector<int>{0, 255, 0}));
  EXPECT_EQ(pixel(last, 5, 5), (std::vector<int>{0, 0, 255}));
  const Frame first = reader.read(std::vector<std::int64_t>{0})[0];
  EXPECT_EQ(pixel(first, 1, 1), (std::vector<int>{255, 0, 0}));
}

// A real film clip, kept outside the repository: H.264 at 8 frames a second with a sound track's
// container.
TEST(VideoReader, ReadsARealClip) {
  const char* folder = std::getenv("TARSIER_TEST_DATA");
  if (folder == nullptr) GTEST_SKIP() << "TARSIER_TEST_DATA is not set";
  const auto file = std::filesystem::path(folder) / "snow-forest.mp4";
  VideoReader reader(file);
  EXPECT_EQ(reader.info().frames, 84);
  EXPECT_EQ(reader.info().height, 800);
  EXPECT_EQ(reader.info().width, 1920);
  EXPECT_EQ(reader.info().frames_per_second, 8);
  EXPECT_EQ(reader.info().seconds, 10.5);
  EXPECT_EQ(reader.info().codec, "h264");
  EXPECT_EQ(reader.frame_seconds()[40], 5);
  const auto chosen = sample_uniform(0, 83, 4);
  const auto frames = reader.read(chosen);
  VideoReader other(file);
  for (std::size_t i = frames.size(); i-- > 0;) {
    EXPECT_EQ(other.read(std::vector{chosen[i]})[0].rgb, frames[i].rgb);
  }
  const double mean = std::accumulate(frames[1].rgb.begin(), frames[1].rgb.end(), 0.0) /
                      static_cast<double>(frames[1].rgb.size());
  EXPECT_GT(mean, 20);  // a picture, not black
}

}  // namespace
}  // namespace tarsier
