#include "tarsier/processors/media_sound.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tarsier/base/error.h"
#include "tarsier/media/audio_reader.h"
#include "tests/data/small_videos.h"
#include "tests/media/sound.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class MediaSound : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ("media_sound_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    tone_ = testing::tone(1);
    write_audio(folder_ / "tone.wav", tone_, {.codec = "pcm_s16le"});
    AudioTrackOptions sound;
    sound.codec = "pcm_s16le";
    testing::write_clip(folder_ / "heard.mkv", 50, tone_, sound);
    testing::write_video(folder_ / "silent.mkv");
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_;
  std::vector<float> tone_;
};

TEST_F(MediaSound, IsThatOfThePart) {
  EXPECT_LT(testing::distance(read_sound(folder_ / "heard.mkv")->samples, tone_), 1e-6);
  const auto part = read_sound(folder_ / "heard.mkv", {0.25, 0.5});
  EXPECT_LT(testing::distance(part->samples, std::span(tone_).subspan(4000, 4000)), 1e-6);
  EXPECT_EQ(seconds_of(*part), 0.25);
  EXPECT_TRUE(read_sound(folder_ / "heard.mkv", {1.5, 2})->samples.empty());
  EXPECT_EQ(read_sound(folder_ / "silent.mkv"), nullptr);
}

TEST_F(MediaSound, AloneHasNoFrames) {
  const auto alone = read_sound_alone(folder_ / "tone.wav", {0.5});
  EXPECT_EQ(alone->modality, Modality::audio);
  EXPECT_TRUE(alone->frames.empty());
  EXPECT_EQ(alone->seconds, 0.5);
  EXPECT_EQ(alone->sound->samples.size(), 8000u);
}

TEST_F(MediaSound, APartIsWithinItsVideo) {
  VideoInfo info;
  info.seconds = 2.5;
  const MediaPart whole = part_of_video(info, {0.5, 1.5}, {}, {}),
                  part = part_of_video(info, {0.5, 1.5}, 1, 2.55);
  EXPECT_EQ(whole.start, 0.5);
  EXPECT_EQ(whole.end, 2.5);
  EXPECT_EQ(part.start, 1);
  EXPECT_EQ(part.end, 2.5);
}

TEST_F(MediaSound, WhatCannotBeHeardIsRefused) {
  const auto refused = [](const auto& read, const char* what) {
    EXPECT_THAT(read, ThrowsMessage<InputError>(HasSubstr(what)));
  };
  refused(
      [&] {
        read_sound(folder_ / "heard.mkv", {1, 1});
      },
      "heard.mkv: has no part from 1 s to 1 s; the start comes before the end");
  refused([&] { read_sound(folder_ / "tone.wav", {-1}); }, "has no part from -1 s to inf s");
  refused([&] { read_sound(folder_ / "tone.wav", {1e10}); }, "has no part from 1e+10 s");
  refused([&] { read_sound_alone(folder_ / "tone.wav", {2}); },
          "tone.wav: has no sound from 2 s on; give a time inside the file");
  refused([&] { read_sound_alone(folder_ / "silent.mkv"); },
          "silent.mkv: has no sound from 0 s on");
}

}  // namespace
}  // namespace tarsier
