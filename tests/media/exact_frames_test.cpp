// Frames by number: every container and codec, in every order of asking.
#include <gtest/gtest.h>

#include <numeric>

#include "numbered_video.h"
#include "tarsier/base/error.h"
#include "tarsier/base/random.h"
#include "tarsier/media/video_reader.h"

namespace tarsier {
namespace {

using testing::number_in;
using testing::numbered_picture;
using testing::TemporaryFolder;
using testing::write_numbered_video;

struct Case {
  friend void PrintTo(const Case& item, std::ostream* out) { *out << item.name; }

  std::string name;
  std::string extension;
  VideoWriterOptions options;
  Size size{64, 96};
};

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](std::string name, std::string extension, std::string codec, auto&& change) {
    Case item{std::move(name), std::move(extension), {}};
    item.options.codec = std::move(codec);
    item.options.gop_size = 12;
    change(item);
    all.push_back(item);
  };
  const auto plain = [](Case&) {};
  const auto b_frames = [](Case& c) {
    c.options.b_frames = 3;
    c.options.preset = "medium";
  };
  add("h264_mp4", "mp4", "libx264", b_frames);
  add("h264_mov", "mov", "libx264", b_frames);
  add("h264_mkv", "mkv", "libx264", b_frames);
  add("h264_ts", "ts", "libx264", b_frames);
  add("h264_flv", "flv", "libx264", b_frames);
  add("h264_avi", "avi", "libx264", b_frames);
  add("h264_one_gop", "mp4", "libx264", [](Case& c) { c.options.gop_size = 250; });
  add("h264_open_gop", "mp4", "libx264", [](Case& c) {
    c.options.b_frames = 3;
    c.options.encoder_options["x264-params"] = "open-gop=1:scenecut=0:bframes=3";
  });
  add("h264_open_gop_ts", "ts", "libx264", [](Case& c) {
    c.options.encoder_options["x264-params"] = "open-gop=1:scenecut=0:bframes=3";
  });
  add("h264_fragmented", "mp4", "libx264",
      [](Case& c) { c.options.muxer_options["movflags"] = "frag_keyframe+empty_moov"; });
  add("h264_late_start", "mp4", "libx264", [&](Case& c) {
    b_frames(c);
    c.options.start_seconds = 1.5;
  });
  add("h264_late_start_mkv", "mkv", "libx264", [&](Case& c) {
    b_frames(c);
    c.options.start_seconds = 5;
  });
  add("h264_odd_size", "mp4", "libx264", [](Case& c) {
    c.size = {57, 101};
    c.options.pixel_format = "yuv444p";
  });
  add("hevc_mp4", "mp4", "libx265", [](Case& c) {
    c.options.encoder_options["x265-params"] =
        "log-level=none:bframes=3:keyint=12:pools=none:frame-threads=1";
  });
  add("hevc_10_bit", "mkv", "libx265", [](Case& c) {
    c.options.pixel_format = "yuv420p10le";
    c.options.encoder_options["x265-params"] =
        "log-level=none:keyint=12:pools=none:frame-threads=1";
  });
  add("av1_mp4", "mp4", "libaom-av1", [](Case& c) {
    c.options.crf = 30;
    c.options.encoder_options["cpu-used"] = "8";
  });
  add("vp9_webm", "webm", "libvpx-vp9", [](Case& c) {
    c.options.crf = 30;
    c.options.encoder_options["cpu-used"] = "5";
  });
  add("vp8_webm", "webm", "libvpx", [](Case& c) {
    c.options.encoder_options["auto-alt-ref"] = "1";
    c.options.encoder_options["lag-in-frames"] = "10";
    c.options.encoder_options["b"] = "500k";
  });
  add("mpeg4_avi", "avi", "mpeg4", plain);
  add("mpeg4_avi_b_frames", "avi", "mpeg4", [](Case& c) { c.options.b_frames = 2; });
  add("mjpeg_avi", "avi", "mjpeg", [](Case& c) {
    c.options.pixel_format = "yuvj420p";
    c.options.full_range = true;
  });
  add("gif", "gif", "gif", [](Case& c) { c.options.pixel_format = "rgb8"; });
  add("ffv1_mkv", "mkv", "ffv1", plain);
  return all;
}

class ExactFrames : public ::testing::TestWithParam<Case> {};

TEST_P(ExactFrames, AreTheSameBySeekingAsByDecodingEverything) {
  const Case& item = GetParam();
  const TemporaryFolder folder;
  const auto file = folder / ("clip." + item.extension);
  constexpr std::int64_t kFrames = 60;
  write_numbered_video(file, item.size, kFrames, item.options);

  VideoReader all(file);
  ASSERT_EQ(all.info().frames, kFrames);
  EXPECT_EQ(all.info().height, item.size.height);
  EXPECT_EQ(all.info().width, item.size.width);
  EXPECT_NEAR(all.info().frames_per_second, 25, 0.1);
  EXPECT_FALSE(all.info().has_audio);
  EXPECT_FALSE(all.info().is_still_image);
  std::vector<std::int64_t> every(kFrames);
  std::iota(every.begin(), every.end(), 0);
  const std::vector<Frame> linear = all.read(every);
  for (std::int64_t i = 0; i < kFrames; ++i) {
    const Frame& frame = linear[static_cast<std::size_t>(i)];
    EXPECT_EQ(frame.index, i);
    EXPECT_EQ(number_in(frame), i);
    EXPECT_NEAR(frame.seconds, static_cast<double>(i) / 25,
                0.0011);  // matroska counts milliseconds
    EXPECT_EQ(frame.seconds, all.frame_seconds()[static_cast<std::size_t>(i)]);
  }
  EXPECT_NEAR(all.info().seconds, kFrames / 25.0, 0.05);

  // One reader asked at random, another opened afresh for each frame.
  VideoReader random_access(file);
  Random random({7, 7});
  for (int turn = 0; turn < 40; ++turn) {
    const std::int64_t index = random.integer(0, kFrames - 1);
    const auto frames = random_access.read(std::vector{index});
    EXPECT_EQ(frames[0].rgb, linear[static_cast<std::size_t>(index)].rgb) << index;
  }
  for (const std::int64_t index : {0, 1, 11, 12, 13, 35, 36, 58, 59}) {
    EXPECT_EQ(VideoReader(file).read(std::vector<std::int64_t>{index})[0].rgb,
              linear[static_cast<std::size_t>(index)].rgb)
        << index;
  }
  const auto sparse = VideoReader(file).read(std::vector<std::int64_t>{3, 3, 20, 47, 47, 59});
  ASSERT_EQ(sparse.size(), 6U);
  EXPECT_EQ(sparse[1].rgb, linear[3].rgb);
  EXPECT_EQ(sparse[2].rgb, linear[20].rgb);
  EXPECT_EQ(sparse[4].rgb, linear[47].rgb);
}

INSTANTIATE_TEST_SUITE_P(Formats, ExactFrames, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tarsier
