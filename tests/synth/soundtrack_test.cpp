#include "tarsier/synth/soundtrack.h"

#include <gtest/gtest.h>

#include <cmath>
#include <span>

#include "tarsier/synth/scene.h"

namespace tarsier {
namespace {

Clip clip_of(ClipSound sound) {
  Clip clip{.level = "av", .seconds = 2, .opening = {}, .objects = {}, .events = {}};
  clip.sounds = {sound};
  return clip;
}

std::span<const float> between(const std::vector<float>& samples, double from, double to) {
  const auto begin = static_cast<std::size_t>(from * kSoundRate);
  return std::span(samples).subspan(begin, static_cast<std::size_t>(to * kSoundRate) - begin);
}

double loudness(std::span<const float> samples) {  // root mean square
  double sum = 0;
  for (const float sample : samples) sum += static_cast<double>(sample) * sample;
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

double pitch(std::span<const float> samples) {  // by upward crossings of zero
  std::int64_t crossings = 0;
  for (std::size_t i = 1; i < samples.size(); ++i)
    crossings += samples[i - 1] < 0 && samples[i] >= 0 ? 1 : 0;
  return static_cast<double>(crossings) * kSoundRate / static_cast<double>(samples.size());
}

TEST(Soundtrack, IsLoudWhereASoundIsAndFaintElsewhere) {
  for (std::uint64_t index = 0; index < 30; ++index) {
    const Clip clip = make_clip(level_named("av"), Split::train, 4, index);
    const std::vector<float> samples = soundtrack(clip);
    EXPECT_EQ(samples, soundtrack(clip));
    ASSERT_EQ(samples.size(), 128'000u);
    double quiet_from = 0;
    for (const ClipSound& sound : clip.sounds) {
      EXPECT_GT(loudness(between(samples, sound.start, sound.end)), 0.04);
      if (sound.start > quiet_from) {
        const double faint = loudness(between(samples, quiet_from, sound.start));
        EXPECT_GT(faint, 0.0005);
        EXPECT_LT(faint, 0.003);
      }
      quiet_from = sound.end;
    }
    for (const float sample : samples) {
      ASSERT_LE(std::abs(sample), 0.4F);
      ASSERT_EQ(sample * 32768, std::round(sample * 32768)) << "a step of 16 bits";
    }
  }
}

TEST(Soundtrack, FadesInAndHasThePitchItSays) {
  const std::vector<float> tone = soundtrack(clip_of(
      {.kind = SoundKind::low_tone, .start = 0.4, .end = 1.4, .hertz = 250, .to_hertz = 250}));
  EXPECT_NEAR(pitch(between(tone, 0.5, 1.3)), 250, 5);
  EXPECT_LT(loudness(between(tone, 0.4, 0.401)), 0.03);
  EXPECT_NEAR(loudness(between(tone, 0.5, 1.3)), 0.3 / std::sqrt(2), 0.01);

  const std::vector<float> sweep = soundtrack(clip_of({.kind = SoundKind::falling_sweep,
                                                       .start = 0.4,
                                                       .end = 1.4,
                                                       .hertz = 1400,
                                                       .to_hertz = 400}));
  EXPECT_NEAR(pitch(between(sweep, 0.4, 0.6)), 1300, 30);
  EXPECT_NEAR(pitch(between(sweep, 1.2, 1.4)), 500, 30);
}

TEST(Soundtrack, BeepsAreEquallyLongWithSilenceBetween) {
  const std::vector<float> beeps = soundtrack(clip_of(
      {.kind = SoundKind::three_beeps, .start = 0.4, .end = 1.0, .hertz = 1000, .to_hertz = 1000}));
  for (int part = 0; part < 5; ++part) {
    const double loud = loudness(between(beeps, 0.401 + part * 0.12, 0.399 + (part + 1) * 0.12));
    if (part % 2 == 0) {
      EXPECT_GT(loud, 0.15);
    } else {
      EXPECT_LT(loud, 0.003);
    }
  }
}

TEST(Soundtrack, OfASilentClipIsFaint) {
  const std::vector<float> samples = soundtrack(make_clip(level_named("base"), Split::train, 4, 0));
  EXPECT_EQ(samples.size(), 128'000u);
  EXPECT_LT(loudness(samples), 0.003);
}

}  // namespace
}  // namespace tarsier
