#include "tarsier/media/audio_writer.h"

#include <gtest/gtest.h>

#include "sound.h"
#include "tarsier/base/error.h"

namespace tarsier {
namespace {

using testing::bytes_of;
using testing::numbered_picture;
using testing::TemporaryFolder;
using testing::tone;
using testing::write_clip;

std::string refusal(const std::filesystem::path& file, const AudioTrackOptions& options) {
  try {
    write_audio(file, tone(0.1), options);
    return "was written";
  } catch (const ConfigError& error) {
    EXPECT_FALSE(std::filesystem::exists(file));
    return error.note.what;
  }
}

TEST(AudioWriter, RefusesWhatFfmpegHasNot) {
  const TemporaryFolder folder;
  EXPECT_EQ(refusal(folder / "a.unheard", {.codec = "flac"}), "no container has this extension");
  EXPECT_EQ(refusal(folder / "a.wav", {.codec = "no-such"}), "this FFmpeg has no such encoder");
  EXPECT_EQ(refusal(folder / "a.mkv", {.codec = "libx264"}), "is no encoder of sound");
  EXPECT_EQ(refusal(folder / "a.m4a", {.codec = "aac", .sample_rate = 12'345}),
            "cannot encode 1 channels at 12345 samples a second");
  EXPECT_EQ(refusal(folder / "a.flac", {.codec = "aac"}), "this container does not take aac");
  EXPECT_THROW(write_audio(folder / "absent/a.wav", tone(0.1), {.codec = "pcm_s16le"}),
               ResourceError);
}

// In whatever order pictures and sound are given.
TEST(AudioWriter, ClipsHaveTheSameBytesTwice) {
  const TemporaryFolder folder;
  const AudioTrackOptions aac{.codec = "aac"};
  write_clip(folder / "a.mp4", 30, tone(1.2), aac);
  VideoWriterOptions options;
  options.sound = aac;
  VideoWriter writer(folder / "b.mp4", {48, 64}, options);
  const auto samples = tone(1.2);
  for (std::int64_t i = 0; i < 30; ++i) {
    writer.write(numbered_picture(i, {48, 64}));
    writer.write_sound(std::span(samples).subspan(static_cast<std::size_t>(i) * 640, 640));
  }
  writer.finish();
  EXPECT_EQ(bytes_of(folder / "a.mp4"), bytes_of(folder / "b.mp4"));
}

TEST(AudioWriter, VideosWithSoundNameItsCodec) {
  const TemporaryFolder folder;
  VideoWriter writer(folder / "a.mp4", {48, 64});
  EXPECT_THROW(writer.write_sound(tone(0.1)), InternalError);
  EXPECT_THROW(write_clip(folder / "b.webm", 3, tone(0.1), {.codec = "aac"}), ConfigError);
}

}  // namespace
}  // namespace tarsier
