// Sound that cannot be read is refused with its own message, never taken for silence or absence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <bit>
#include <cmath>

#include "sound.h"
#include "tarsier/base/error.h"
#include "tarsier/media/audio_reader.h"
#include "tarsier/media/video_reader.h"

namespace tarsier {
namespace {

using testing::bytes_of;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::tone;
using testing::write_bytes;
using testing::write_clip;

std::string refusal(const std::filesystem::path& file, const AudioOptions& options = {},
                    const MediaLimits& limits = {}) {
  try {
    return read_audio(file, options, limits).has_value() ? "was read" : "no sound";
  } catch (const InputError& error) {
    EXPECT_EQ(error.note.where, file.string());
    EXPECT_EQ(error.note.text().find('\n'), std::string::npos);
    return error.note.what;
  }
}

std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

/// A WAV file of `data` with a header that claims what it likes; format 1 is PCM, 3 float.
std::string wav(int format, std::uint32_t rate, int channels, int bits, const std::string& data) {
  const auto block = static_cast<std::uint64_t>(channels * bits / 8);
  return "RIFF" + little(36 + data.size(), 4) + "WAVEfmt " + little(16, 4) +
         little(static_cast<std::uint64_t>(format), 2) +
         little(static_cast<std::uint64_t>(channels), 2) + little(rate, 4) +
         little(rate * block, 4) + little(block, 2) + little(static_cast<std::uint64_t>(bits), 2) +
         "data" + little(data.size(), 4) + data;
}

TEST(BadSound, FilesThatAreNoSound) {
  const TemporaryFolder folder;
  EXPECT_EQ(refusal(folder / "absent.wav"), "no such file");
  write_bytes(folder / "empty.wav", "");
  EXPECT_EQ(refusal(folder / "empty.wav"), "the file is empty");
  write_bytes(folder / "text.wav", "hello, this is no sound at all\n");
  EXPECT_EQ(refusal(folder / "text.wav"), "not a video or sound");
  write_bytes(folder / "list.m3u8",
              "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///x.ts\n"
              "#EXT-X-ENDLIST\n");
  EXPECT_EQ(refusal(folder / "list.m3u8"), "files of the kind 'hls' are not read");
}

// Readers of pictures keep their shorter list.
TEST(BadSound, SoundFilesAreNoVideos) {
  const TemporaryFolder folder;
  write_audio(folder / "a.wav", tone(1), {.codec = "pcm_s16le"});
  EXPECT_THROW(VideoReader(folder / "a.wav"), InputError);
}

TEST(BadSound, ForgedHeaders) {
  const TemporaryFolder folder;
  const std::string data(4000, '\x11');
  for (const std::uint32_t rate : {1U, 999U, 768'001U, 2'000'000'000U}) {
    write_bytes(folder / "rate.wav", wav(1, rate, 1, 16, data));
    EXPECT_EQ(refusal(folder / "rate.wav"),
              "its sound claims " + std::to_string(rate) + " samples a second");
  }
  write_bytes(folder / "rate.wav", wav(1, 655'350, 8, 16, data));
  EXPECT_EQ(refusal(folder / "rate.wav"), "was read");
  write_bytes(folder / "many.wav", wav(1, 16'000, 40, 16, data));
  EXPECT_EQ(refusal(folder / "many.wav"), "its 40 channels of sound cannot be mixed to one");
}

TEST(BadSound, ValuesThatAreNoNumbers) {
  const TemporaryFolder folder;
  for (const float value : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
    std::string data;
    for (int n = 0; n < 1000; ++n)
      data += little(std::bit_cast<std::uint32_t>(n == 500 ? value : 0.1F), 4);
    write_bytes(folder / "odd.wav", wav(3, 16'000, 1, 32, data));
    EXPECT_EQ(refusal(folder / "odd.wav"), "its sound holds values that are no finite numbers");
    EXPECT_EQ(refusal(folder / "odd.wav", {.end_seconds = 0.01}), "was read");
  }
}

TEST(BadSound, CutMp4) {
  const TemporaryFolder folder;
  VideoWriterOptions options;
  options.muxer_options["moov_size"] = "20000";
  write_clip(folder / "front.mp4", 25, tone(3), {.codec = "aac"}, options);
  const std::string whole = bytes_of(folder / "front.mp4");
  ASSERT_EQ(refusal(folder / "front.mp4"), "was read");
  for (const std::size_t lost : {2500, 3000, 3500}) {
    write_bytes(folder / "cut.mp4", whole.substr(0, whole.size() - lost));
    EXPECT_THAT(refusal(folder / "cut.mp4"),
                ::testing::AnyOf(HasSubstr("damaged or cut short after 2."),
                                 HasSubstr("the sound after 2.")));
  }
  EXPECT_EQ(refusal(folder / "cut.mp4", {.end_seconds = 1}), "was read");
}

TEST(BadSound, DamagedFlac) {
  const TemporaryFolder folder;
  write_audio(folder / "whole.mka", tone(2), {.codec = "flac"});
  std::string bytes = bytes_of(folder / "whole.mka");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x10);
  write_bytes(folder / "flipped.mka", bytes);
  EXPECT_THAT(refusal(folder / "flipped.mka"), HasSubstr("is damaged and cannot be decoded"));
}

TEST(BadSound, DamagedAac) {
  const TemporaryFolder folder;
  write_audio(folder / "whole.m4a", tone(2), {.codec = "aac"});
  std::string bytes = bytes_of(folder / "whole.m4a");
  for (std::size_t i = bytes.size() / 3; i < bytes.size() / 3 + 300; ++i) bytes[i] = '\xff';
  write_bytes(folder / "hole.m4a", bytes);
  EXPECT_THAT(refusal(folder / "hole.m4a"), HasSubstr("is damaged and cannot be decoded"));
}

TEST(BadSound, CodecsThatAreNotRead) {
  const TemporaryFolder folder;
  write_audio(folder / "odd.mka", tone(1), {.codec = "wavpack"});
  EXPECT_EQ(refusal(folder / "odd.mka"), "sound of the kind 'wavpack' is not decoded");
}

TEST(BadSound, EmptyTrack) {
  const TemporaryFolder folder;
  write_clip(folder / "clip.mkv", 10, {}, {.codec = "pcm_s16le"});
  EXPECT_EQ(refusal(folder / "clip.mkv"), "the sound track is empty");
}

TEST(BadSound, OverTheLimits) {
  const TemporaryFolder folder;
  write_audio(folder / "a.wav", tone(3), {.codec = "pcm_s16le"});
  MediaLimits limits;
  limits.max_sound_seconds = 2;
  EXPECT_EQ(refusal(folder / "a.wav", {}, limits),
            "its sound is longer than the limit of 2 seconds");
  EXPECT_EQ(refusal(folder / "a.wav", {.start_seconds = 0.5}, limits),
            "its sound is longer than the limit of 2 seconds");
  EXPECT_EQ(refusal(folder / "a.wav", {.start_seconds = 1.5}, limits), "was read");
  EXPECT_EQ(refusal(folder / "a.wav", {.start_seconds = 0.5, .end_seconds = 2.5}, limits),
            "was read");
  limits.max_sound_seconds = 3;
  EXPECT_EQ(refusal(folder / "a.wav", {}, limits), "was read");
  limits.wall_clock_seconds = 0;
  limits.wall_clock_seconds_per_media_minute = 0;
  EXPECT_EQ(refusal(folder / "a.wav", {}, limits), "decoding took longer than allowed");
}

// Silence costs what is kept, not what the times claim.
TEST(BadSound, SoundThatClaimsToStartFarAway) {
  const TemporaryFolder folder;
  AudioTrackOptions far{.codec = "pcm_s16le", .start_seconds = 1e6};
  write_clip(folder / "far.mkv", 5, tone(0.5), far);
  rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  EXPECT_EQ(refusal(folder / "far.mkv"), "its sound is longer than the limit of 7200 seconds");
  EXPECT_EQ(refusal(folder / "far.mkv", {.end_seconds = 1}), "was read");
  ::getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 500'000);  // KiB; a million seconds are 64 GB
}

// Minutes of Opus in little more than a kilobyte each, read no further than the limit.
TEST(BadSound, LongSoundIsReadToTheLimit) {
  const TemporaryFolder folder;
  write_audio(folder / "long.ogg", std::vector<float>(16'000 * 90),
              {.codec = "libopus", .bits_per_second = 6'000});
  MediaLimits limits;
  limits.max_sound_seconds = 20;
  EXPECT_EQ(refusal(folder / "long.ogg", {}, limits),
            "its sound is longer than the limit of 20 seconds");
  EXPECT_EQ(refusal(folder / "long.ogg", {.end_seconds = 20}, limits), "was read");
}

}  // namespace
}  // namespace tarsier
