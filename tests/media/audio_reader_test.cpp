// Sound as FFmpeg's own tools make it, and where it lies on the clock of the pictures.
#include "tarsier/media/audio_reader.h"

#include <gtest/gtest.h>

#include <cstring>

#include "sound.h"
#include "tarsier/base/error.h"
#include "tarsier/media/video_reader.h"

namespace tarsier {
namespace {

using testing::bytes_of;
using testing::distance;
using testing::loudness;
using testing::TemporaryFolder;
using testing::tone;
using testing::write_bytes;
using testing::write_clip;
using testing::write_numbered_video;

const AudioTrackOptions kExact{.codec = "pcm_s16le"};

std::span<const float> part(const std::vector<float>& samples, double from, double to) {
  const auto begin = static_cast<std::size_t>(std::lround(from * kAudioRate));
  const auto end = static_cast<std::size_t>(std::lround(to * kAudioRate));
  return std::span(samples).subspan(begin, end - begin);
}

std::vector<float> floats_of(const std::filesystem::path& file) {
  const std::string bytes = bytes_of(file);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

// The files and what the ffmpeg program makes of them: tools/fixtures/make_sound_fixtures.py.
TEST(AudioReader, EqualsTheFfmpegProgram) {
  const std::filesystem::path folder = TARSIER_SOURCE_DIR "/tests/fixtures/media/sound";
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".f32") continue;
    const auto audio = read_audio(entry.path());
    ASSERT_TRUE(audio.has_value()) << entry.path();
    EXPECT_LE(distance(audio->samples, floats_of(entry.path().string() + ".f32")), 1e-6)
        << entry.path() << ": " << audio->samples.size() << " samples";
    ++files;
  }
  EXPECT_EQ(files, 10);
}

TEST(AudioReader, GivesBackSixteenKilohertzExactly) {
  const TemporaryFolder folder;
  const auto samples = tone(1.3);
  for (const char* name : {"a.wav", "a.flac", "a.mka", "a.mov"}) {
    const bool flac = std::string(name) == "a.flac";
    write_audio(folder / name, samples, {.codec = flac ? "flac" : "pcm_s16le"});
    const auto audio = read_audio(folder / name);
    ASSERT_TRUE(audio.has_value());
    EXPECT_EQ(audio->samples, samples) << name;
    EXPECT_EQ(audio->source_rate, 16'000);
    EXPECT_EQ(audio->source_channels, 1);
    EXPECT_EQ(audio->codec, flac ? "flac" : "pcm_s16le");
  }
}

TEST(AudioReader, FilesWithoutSoundAreNoFailure) {
  const TemporaryFolder folder;
  write_numbered_video(folder / "silent.mp4", {48, 64}, 5);
  write_numbered_video(folder / "silent.mkv", {48, 64}, 5);
  EXPECT_FALSE(read_audio(folder / "silent.mp4").has_value());
  EXPECT_FALSE(read_audio(folder / "silent.mkv", {.track = 2}).has_value());
  EXPECT_FALSE(read_audio(TARSIER_SOURCE_DIR "/tests/fixtures/media/rgba.png").has_value());
  EXPECT_FALSE(VideoReader(folder / "silent.mp4").info().has_audio);
}

// FFmpeg's weights for one channel, not brought down to a sum of 1.
TEST(AudioReader, MixesChannelsByFfmpegsWeights) {
  const TemporaryFolder folder;
  const auto weight_of = [&](int channels, std::size_t channel) {
    std::vector<float> samples(1600 * static_cast<std::size_t>(channels));
    for (std::size_t n = 0; n < 1600; ++n)
      samples[n * static_cast<std::size_t>(channels) + channel] = 0.25;
    write_audio(folder / "one.wav", samples, {.codec = "pcm_s16le", .channels = channels});
    return read_audio(folder / "one.wav")->samples.at(800) * 4;
  };
  const float half = 0.70710678F;
  EXPECT_EQ(weight_of(1, 0), 1);
  EXPECT_NEAR(weight_of(2, 0), half, 1e-6);
  EXPECT_NEAR(weight_of(2, 1), half, 1e-6);
  const std::vector<float> surround = {half, half, 1, 0, 0.5, 0.5};
  for (std::size_t c = 0; c < surround.size(); ++c)
    EXPECT_NEAR(weight_of(6, c), surround[c], 1e-6) << c;
}

TEST(AudioReader, TakesTheFirstChannelWhereAsked) {
  const TemporaryFolder folder;
  std::vector<float> stereo;
  for (const float v : tone(0.5)) stereo.insert(stereo.end(), {v, 0.25F});
  write_audio(folder / "a.wav", stereo, {.codec = "pcm_s16le", .channels = 2});
  const AudioOptions first{.channels = AudioChannels::first};
  EXPECT_EQ(read_audio(folder / "a.wav", first)->samples, tone(0.5));
  write_audio(folder / "b.wav", tone(0.5, 44'100), {.codec = "pcm_s16le", .sample_rate = 44'100});
  try {
    read_audio(folder / "b.wav", first);
    ADD_FAILURE() << "was read";
  } catch (const InputError& error) {
    EXPECT_EQ(error.note.text(), (folder / "b.wav").string() +
                                     ": its sound has 44100 samples a second, not 16000; "
                                     "resample it to 16 kHz first");
  }
}

TEST(AudioReader, ResamplesTones) {
  const TemporaryFolder folder;
  for (const int rate : {8'000, 22'050, 44'100, 48'000, 96'000}) {
    write_audio(folder / "a.wav", tone(1, rate), {.codec = "pcm_s16le", .sample_rate = rate});
    const auto samples = read_audio(folder / "a.wav")->samples;
    ASSERT_EQ(samples.size(), 16'000U) << rate;
    EXPECT_LT(distance(part(samples, 0.1, 0.9), part(tone(1), 0.1, 0.9)), 1e-3) << rate;
  }
}

TEST(AudioReader, ShorterAndLongerThanThePicture) {
  const TemporaryFolder folder;
  for (const double seconds : {0.4, 2.0, 3.5}) {
    for (const char* name : {"clip.mkv", "clip.mov", "clip.avi"}) {
      write_clip(folder / name, 50, tone(seconds), kExact);
      EXPECT_TRUE(VideoReader(folder / name).info().has_audio);
      EXPECT_EQ(read_audio(folder / name)->samples, tone(seconds)) << name << ' ' << seconds;
    }
  }
}

// Lossy sound keeps its place: the encoder's priming is cut.
TEST(AudioReader, AacLiesWhereItWasWritten) {
  const TemporaryFolder folder;
  for (const char* name : {"clip.mp4", "clip.mkv", "clip.mov", "clip.ts", "clip.flv"}) {
    std::vector<float> samples(16'000);
    const auto burst = tone(0.5);
    samples.insert(samples.end(), burst.begin(), burst.end());
    samples.resize(32'000);
    AudioTrackOptions aac{.codec = "aac", .bits_per_second = 64'000};
    if (std::string(name) == "clip.flv") aac.sample_rate = 44'100;
    if (aac.sample_rate == 44'100) {
      samples.assign(44'100, 0);
      const auto faster = tone(0.5, 44'100);
      samples.insert(samples.end(), faster.begin(), faster.end());
      samples.resize(88'200);
    }
    write_clip(folder / name, 50, samples, aac);
    const double first = VideoReader(folder / name).frame_seconds().front();
    const auto heard = read_audio(folder / name)->samples;
    ASSERT_GT(heard.size(), 25'000U) << name;
    EXPECT_LT(loudness(part(heard, first + 0.1, first + 0.97)), 0.01) << name;
    EXPECT_GT(loudness(part(heard, first + 1.03, first + 1.47)), 0.2) << name;
    EXPECT_LT(loudness(part(heard, first + 1.55, first + 1.6)), 0.01) << name;
  }
}

TEST(AudioReader, LateSoundFollowsSilence) {
  const TemporaryFolder folder;
  AudioTrackOptions late = kExact;
  late.start_seconds = 0.75;
  for (const char* name : {"clip.mkv", "clip.mov"}) {
    write_clip(folder / name, 50, tone(1), late);
    const auto samples = read_audio(folder / name)->samples;
    ASSERT_EQ(samples.size(), 28'000U) << name;
    EXPECT_EQ(loudness(part(samples, 0, 0.75)), 0) << name;
    EXPECT_EQ(distance(part(samples, 0.75, 1.75), tone(1)), 0) << name;
    EXPECT_EQ(read_audio(folder / name, {.end_seconds = 0.5})->samples, std::vector<float>(8000))
        << name;
  }
}

// The clock starts with whatever comes first, for frames and for sound alike.
TEST(AudioReader, EarlySoundStartsTheClock) {
  const TemporaryFolder folder;
  VideoWriterOptions options;
  options.start_seconds = 0.6;
  for (const char* name : {"clip.mkv", "clip.mov"}) {
    write_clip(folder / name, 25, tone(1), kExact, options);
    EXPECT_NEAR(VideoReader(folder / name).frame_seconds().front(), 0.6, 1e-3) << name;
    EXPECT_EQ(read_audio(folder / name)->samples, tone(1)) << name;
  }
  AudioTrackOptions both = kExact;
  both.start_seconds = 5;
  options.start_seconds = 5;
  write_clip(folder / "late.mkv", 25, tone(1), both, options);
  EXPECT_NEAR(VideoReader(folder / "late.mkv").frame_seconds().front(), 0, 1e-9);
  EXPECT_EQ(read_audio(folder / "late.mkv")->samples, tone(1));
}

TEST(AudioReader, AWindowIsThatPartOfTheWhole) {
  const TemporaryFolder folder;
  write_clip(folder / "clip.mp4", 25, tone(3, 44'100, 2),
             {.codec = "aac", .sample_rate = 44'100, .channels = 2});
  const auto whole = read_audio(folder / "clip.mp4")->samples;
  for (const auto& [start, end] :
       {std::pair{0.0, 1.0}, {0.5, 0.75}, {1.2345, 2.0}, {2.5, 9.0}, {0.1, 0.1001}}) {
    const auto window =
        read_audio(folder / "clip.mp4", {.start_seconds = start, .end_seconds = end})->samples;
    const double last = std::min(end, static_cast<double>(whole.size()) / kAudioRate);
    EXPECT_EQ(distance(window, part(whole, start, last)), 0) << start << ' ' << end;
  }
  EXPECT_TRUE(read_audio(folder / "clip.mp4", {.start_seconds = 60})->samples.empty());
}

TEST(AudioReader, FollowsChangesOfChannelsAndRate) {
  const TemporaryFolder folder;
  write_audio(folder / "a.aac", tone(1), {.codec = "aac"});
  write_audio(folder / "b.aac", tone(1, 44'100, 2),
              {.codec = "aac", .sample_rate = 44'100, .channels = 2});
  write_bytes(folder / "both.aac", bytes_of(folder / "a.aac") + bytes_of(folder / "b.aac"));
  const auto audio = read_audio(folder / "both.aac");
  EXPECT_EQ(audio->source_channels, 1);
  EXPECT_NEAR(static_cast<double>(audio->samples.size()), 32'000, 3'500);
  EXPECT_NEAR(loudness(part(audio->samples, 0.2, 0.9)), 0.2828, 0.02);
  EXPECT_NEAR(loudness(part(audio->samples, 1.3, 1.9)), 0.2828 * 1.4142, 0.03);
}

TEST(AudioReader, ReadsTheTrackAskedFor) {
  // A mono track, then a stereo one marked as default.
  const std::filesystem::path file = TARSIER_SOURCE_DIR "/tests/fixtures/media/two_tracks.mka";
  EXPECT_EQ(read_audio(file, {.track = 0})->source_channels, 1);
  EXPECT_EQ(read_audio(file, {.track = 1})->source_channels, 2);
  EXPECT_EQ(read_audio(file)->source_channels, 2);
  try {
    read_audio(file, {.track = 2});
    ADD_FAILURE() << "was read";
  } catch (const InputError& error) {
    EXPECT_EQ(error.note.what, "there is no sound track 2");
    EXPECT_EQ(error.note.hint, "it has tracks 0 to 1");
  }
}

}  // namespace
}  // namespace tarsier
