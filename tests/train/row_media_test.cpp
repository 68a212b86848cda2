#include "tarsier/train/data/row_media.h"

#include "tarsier/base/error.h"
#include "tarsier/media/png_writer.h"
#include "tests/data/small_videos.h"
#include "tests/media/sound.h"
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

  std::shared_ptr<const Pictures> pictures_of(const Media& media,
                                              std::optional<std::int64_t> frames = {}) const {
    return read_row_media(media, folder_.string(), {rule_, frames, hears_});
  }
  std::vector<Frame> frames_of(const Media& media, std::optional<std::int64_t> frames = {}) const {
    return pictures_of(media, frames)->frames;
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
  bool hears_ = false;
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
  const auto pictures = pictures_of(image, 6);
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
  EXPECT_EQ(
      refusal(media),
      "media: is to be heard, and this model has no ears; leave audio_file and use_audio out");
  media.files.clear();
  EXPECT_EQ(refusal(media), "media: has no file; give it one");
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

// Named frames are of the whole part, however few they are.
TEST_F(RowMediaTest, APartIsAsLongAsItIs) {
  EXPECT_NEAR(pictures_of(video_)->seconds, 2, 1e-6);
  video_.frame_indices = {9, 3};
  EXPECT_NEAR(pictures_of(video_)->seconds, 2, 1e-6);
  video_.start = 0.5;
  EXPECT_NEAR(pictures_of(video_)->seconds, 1.5, 1e-6);
  EXPECT_EQ(pictures_of(list_)->seconds, 3);
  list_.frame_indices = {2};
  EXPECT_EQ(pictures_of(list_)->seconds, 3);
}

// A video of 2 s with 1.5 s of sound, and a file of other sound.
class HeardRowMedia : public RowMediaTest {
 protected:
  void SetUp() override {
    RowMediaTest::SetUp();
    own_ = testing::tone(1.5);
    other_ = testing::tone(3, 16'000, 1, 700);
    AudioTrackOptions track;
    track.codec = "pcm_s16le";
    testing::write_clip(folder_ / "heard.mkv", 50, own_, track);
    write_audio(folder_ / "b.wav", other_, track);
    heard_.files = {"heard.mkv"};
    hears_ = true;
  }

  // Whether exactly [from, to) of the samples is heard.
  void expect_heard(const Media& media, std::span<const float> samples, std::size_t from,
                    std::size_t to) const {
    const auto sound = pictures_of(media)->sound;
    ASSERT_NE(sound, nullptr);
    EXPECT_LT(testing::distance(sound->samples, samples.subspan(from, to - from)), 1e-6);
  }

  std::vector<float> own_, other_;
  Media heard_;
};

TEST_F(HeardRowMedia, AVideoIsHeardInItsPart) {
  expect_heard(heard_, own_, 0, 24'000);
  EXPECT_EQ(pictures_of(heard_)->modality, Modality::video);
  heard_.use_audio = true;
  expect_heard(heard_, own_, 0, 24'000);
  heard_.start = 0.5;
  heard_.end = 1;
  expect_heard(heard_, own_, 8'000, 16'000);
  heard_.start = heard_.end = std::nullopt;
  heard_.extra = {{"start_frame", "5"}, {"end_frame", "30"}};
  expect_heard(heard_, own_, 3'200, 19'200);
}

TEST_F(HeardRowMedia, FramesInAnyOrderSoundAsTheVideoDoes) {
  heard_.frame_indices = {40, 20, 3};
  expect_heard(heard_, own_, 0, 24'000);
  heard_.start = 1;
  expect_heard(heard_, own_, 16'000, 24'000);
}

TEST_F(HeardRowMedia, ASoundFileIsHeardInPlaceOfTheVideosOwn) {
  heard_.audio_file = "b.wav";
  expect_heard(heard_, other_, 0, 32'000);
  heard_.end = 0.25;
  expect_heard(heard_, other_, 0, 4'000);
  video_.audio_file = "b.wav";
  expect_heard(video_, other_, 0, 32'000);
  list_.audio_file = "b.wav";
  expect_heard(list_, other_, 0, 48'000);
  EXPECT_EQ(pictures_of(list_)->seconds, 3);
  list_.frame_indices = {1, 0};
  expect_heard(list_, other_, 0, 48'000);
}

TEST_F(HeardRowMedia, WhatIsSilentIsSeenAlone) {
  EXPECT_EQ(pictures_of(video_)->sound, nullptr);
  EXPECT_EQ(pictures_of(list_)->sound, nullptr);
  heard_.use_audio = false;
  EXPECT_EQ(pictures_of(heard_)->sound, nullptr);
  heard_.audio_file = "b.wav";
  EXPECT_EQ(pictures_of(heard_)->sound, nullptr);
  heard_ = {};
  heard_.files = {"heard.mkv"};
  heard_.start = 1.6;  // behind its sound, which is heard as silence
  EXPECT_TRUE(pictures_of(heard_)->sound->samples.empty());
}

TEST_F(HeardRowMedia, SoundAloneHasNoFrames) {
  Media sound;
  sound.kind = MediaKind::audio;
  sound.files = {"b.wav"};
  const auto alone = pictures_of(sound);
  EXPECT_EQ(alone->modality, Modality::audio);
  EXPECT_TRUE(alone->frames.empty());
  EXPECT_EQ(alone->seconds, 3);
  expect_heard(sound, other_, 0, 48'000);
  sound.start = 1;
  sound.end = 1.5;
  expect_heard(sound, other_, 16'000, 24'000);
  sound.start = 4;
  sound.end.reset();
  EXPECT_NE(refusal(sound).find("b.wav: has no sound from 4 s on"), std::string::npos);
  sound.files = {"a.mp4"};
  EXPECT_NE(refusal(sound).find("a.mp4: has no sound from 4 s on"), std::string::npos);
}

TEST_F(HeardRowMedia, SoundThatIsNotThereIsRefused) {
  video_.use_audio = true;
  EXPECT_EQ(refusal(video_),
            "a.mp4: has no sound, and use_audio is true; leave use_audio out, or give audio_file");
  list_.use_audio = true;
  EXPECT_NE(refusal(list_).find("p0.png: has no sound, and use_audio is true"), std::string::npos);
  heard_.audio_file = "a.mp4";
  EXPECT_EQ(refusal(heard_),
            "a.mp4: has no sound from 0 s on; give an audio_file that lasts as long as its video");
  heard_.audio_file = "none.wav";
  EXPECT_NE(refusal(heard_).find("none.wav"), std::string::npos);
  heard_.audio_file.clear();
  heard_.frame_indices = {0};
  heard_.start = 9;
  EXPECT_NE(refusal(heard_).find("heard.mkv: has no part from 9 s to 2 s"), std::string::npos)
      << refusal(heard_);
  Media image;
  image.kind = MediaKind::image;
  image.files = {"p1.png"};
  image.use_audio = true;
  EXPECT_EQ(refusal(image),
            "media: is an image, which has no sound; leave audio_file and use_audio out");
}

TEST_F(HeardRowMedia, AModelWithoutEarsSeesAndIsAskedNoMore) {
  hears_ = false;
  EXPECT_EQ(pictures_of(heard_)->sound, nullptr);
  EXPECT_EQ(pictures_of(heard_)->frames.size(), 4u);
  Media sound = heard_;
  sound.audio_file = "b.wav";
  EXPECT_NE(refusal(sound).find("no ears"), std::string::npos);
  sound.use_audio = false;
  EXPECT_EQ(refusal(sound), "no error");
  sound = heard_;
  sound.kind = MediaKind::audio;
  EXPECT_NE(refusal(sound).find("no ears"), std::string::npos);
}

}  // namespace
}  // namespace tarsier
