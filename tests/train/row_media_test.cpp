#include "tarsier/train/data/row_media.h"

#include "tarsier/base/error.h"
#include "tarsier/media/png_writer.h"
#include "tests/data/small_videos.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

using Indices = std::vector<std::int64_t>;

class RowMediaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = test::fresh_folder("row_media");
    testing::write_video(folder_ / "a.mp4");  // 20 frames, ten a second
    for (std::uint64_t i = 0; i < 3; ++i) {
      const Size size{32, 48};
      write_png(folder_ / ("p" + std::to_string(i) + ".png"), testing::scene_picture(i, 0, size),
                size);
    }
    write_png(folder_ / "other.png", testing::scene_picture(1, 0, {16, 16}), {16, 16});
    video_.files = {"a.mp4"};
    list_.files = {"p0.png", "p1.png", "p2.png"};
    list_.is_list = true;
  }

  std::vector<Frame> frames_of(const Media& media, std::optional<std::int64_t> frames = {}) const {
    return read_row_media(media, folder_.string(), rule_, frames)->frames;
  }
  Indices indices_of(const Media& media, std::optional<std::int64_t> frames = {}) const {
    Indices indices;
    for (const Frame& frame : frames_of(media, frames)) indices.push_back(frame.index);
    return indices;
  }
  std::string refusal(const Media& media) const {
    try {
      frames_of(media);
    } catch (const InputError& error) {
      return error.what();
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no error";
  }

  std::filesystem::path folder_;
  SamplingRule rule_ = {.default_frames = 4, .max_frames = 8};
  Media video_, list_;
};

TEST_F(RowMediaTest, NamedFramesComeInTheirOrder) {
  video_.frame_indices = {17, 3, 3, 9};
  const std::vector<Frame> frames = frames_of(video_, 2);
  VideoReader reader(folder_ / "a.mp4");
  const std::vector<Frame> plain = reader.read(Indices{3, 9, 17});
  ASSERT_EQ(frames.size(), 4u);
  EXPECT_EQ(frames[0].rgb, plain[2].rgb);
  EXPECT_EQ(frames[1].rgb, plain[0].rgb);
  EXPECT_EQ(frames[2].rgb, plain[0].rgb);
  EXPECT_EQ(frames[3].rgb, plain[1].rgb);
  EXPECT_EQ(frames[0].index, 17);
}

TEST_F(RowMediaTest, NamedTimesAreTheFramesOnScreen) {
  video_.extra["time_indices"] = "[1.55, 0, 0.3]";
  EXPECT_EQ(indices_of(video_), (Indices{15, 0, 3}));
}

TEST_F(RowMediaTest, TheRowsOwnSettingsComeBeforeTheRecipes) {
  EXPECT_EQ(indices_of(video_), (Indices{0, 6, 13, 19}));
  EXPECT_EQ(indices_of(video_, 2), (Indices{0, 19}));
  video_.extra["n_frames"] = "3";
  EXPECT_EQ(indices_of(video_, 2), (Indices{0, 10, 19}));
  video_.extra = {{"fps", "2.5"}};
  EXPECT_EQ(indices_of(video_, 2), (Indices{0, 4, 8, 12, 16}));
  video_.extra = {{"start_frame", "5"}, {"end_frame", "9"}};
  EXPECT_EQ(indices_of(video_, 2), (Indices{5, 9}));
  video_.extra.clear();
  video_.start = 1;
  EXPECT_EQ(indices_of(video_, 2), (Indices{10, 19}));
}

TEST_F(RowMediaTest, AListOfPicturesIsAVideo) {
  EXPECT_EQ(indices_of(list_), (Indices{0, 1, 2}));
  EXPECT_EQ(indices_of(list_, 2), (Indices{0, 2}));
  list_.frame_indices = {2, 0};
  EXPECT_EQ(frames_of(list_)[0].rgb, testing::scene_picture(2, 0, {32, 48}));
  rule_ = qwen2_vl_sampling();
  list_.frame_indices.clear();
  EXPECT_EQ(indices_of(list_), (Indices{0, 1, 2}));
}

TEST_F(RowMediaTest, APictureIsAnImageWhateverTheFrames) {
  Media image;
  image.kind = MediaKind::image;
  image.files = {"p1.png"};
  const auto pictures = read_row_media(image, folder_.string(), rule_, 6);
  EXPECT_EQ(pictures->modality, Modality::image);
  EXPECT_EQ(pictures->frames.size(), 1u);
}

TEST_F(RowMediaTest, MaskedBoxesAreBlack) {
  const auto black = [](const Frame& frame, std::int64_t x, std::int64_t y) {
    const auto* pixel = frame.rgb.data() + 3 * (y * frame.width + x);
    return pixel[0] == 0 && pixel[1] == 0 && pixel[2] == 0;
  };
  list_.mask_boxes = "[[10, 4, 20, 8], [0, 0, 1, 1]]";
  for (const Frame& frame : frames_of(list_)) {
    EXPECT_TRUE(black(frame, 10, 4) && black(frame, 19, 7) && black(frame, 0, 0));
    EXPECT_FALSE(black(frame, 20, 7) || black(frame, 19, 8) || black(frame, 9, 4));
  }
  list_.mask_boxes = "[[], [[0, 0, 48, 32]], [[0, 0, 2, 2]]]";
  const std::vector<Frame> frames = frames_of(list_);
  EXPECT_EQ(frames[0].rgb, testing::scene_picture(0, 0, {32, 48}));
  EXPECT_TRUE(black(frames[1], 47, 31));
  EXPECT_TRUE(black(frames[2], 1, 1) && !black(frames[2], 2, 2));
}

TEST_F(RowMediaTest, WhatAVideoDoesNotHaveIsRefused) {
  Media media = video_;
  media.frame_indices = {3, 20};
  EXPECT_EQ(refusal(media), "frame_indices: has frame 20 of 20; count frames from 0");
  media.frame_indices = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(refusal(media), "frame_indices: names 9 frames, the model takes at most 8; name fewer");
  media = video_;
  media.extra["time_indices"] = "[2.5]";
  EXPECT_EQ(refusal(media), "time_indices: has 2.5 s of 2.000; give times within the video");
  media.extra = {{"start_frame", "20"}};
  EXPECT_NE(refusal(media).find("start_frame"), std::string::npos) << refusal(media);
  media.extra = {{"min_n_frames", "4"}};
  EXPECT_EQ(refusal(media), "min_n_frames: is not done in training; give n_frames or fps");
  media = video_;
  media.use_audio = true;
  EXPECT_NE(refusal(media).find("no ears"), std::string::npos);
  list_.start = 1;
  EXPECT_NE(refusal(list_).find("which has no times"), std::string::npos);
  list_.start.reset();
  list_.files[1] = "other.png";
  EXPECT_EQ(refusal(list_),
            "other.png: is not of the first picture's size; give the frames of a video one size");
  list_.files[1] = "a.mp4";
  EXPECT_NE(refusal(list_).find("is a video in a list of pictures"), std::string::npos);
}

TEST_F(RowMediaTest, BoxesOutsideThePictureAreRefused) {
  for (const char* boxes : {"[[0, 0, 49, 1]]", "[[5, 5, 5, 9]]", "[[-1, 0, 2, 2]]"}) {
    list_.mask_boxes = boxes;
    EXPECT_NE(refusal(list_).find("is not within the 48 x 32 picture"), std::string::npos)
        << refusal(list_);
  }
  list_.mask_boxes = "[[0, 0, 2]]";
  EXPECT_NE(refusal(list_).find("mask_boxes: [0]: is not a box"), std::string::npos)
      << refusal(list_);
  list_.mask_boxes = "[[[0, 0, 2, 2]], []]";
  EXPECT_NE(refusal(list_).find("has lists for 2 frames, 3 are shown"), std::string::npos);
}

}  // namespace
}  // namespace tarsier
