#include "tarsier/media/log_mel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>

#include "tarsier/base/json.h"

namespace tarsier {
namespace {

// The formulas of tools/fixtures/make_log_mel_fixtures.py.
std::vector<float> noise(std::size_t count, std::uint32_t seed, float height) {
  std::vector<float> values;
  for (std::uint32_t state = seed; values.size() < count;) {
    state = state * 1664525U + 1013904223U;
    values.push_back(static_cast<float>(static_cast<double>(state >> 8) / 8388608 - 1) * height);
  }
  return values;
}

std::vector<float> sine(int count, double hertz, double height) {
  std::vector<float> values;
  for (int n = 0; n < count; ++n)
    values.push_back(
        static_cast<float>(height * std::sin(2 * std::numbers::pi * hertz * n / 16000)));
  return values;
}

std::vector<float> sound_named(const std::string& name) {
  if (name == "tone") return sine(16'000, 440, 0.5);
  if (name == "noise") return noise(48'000, 1, 0.25F);
  if (name == "full_chunk") return noise(480'000, 3, 0.1F);
  if (name == "almost_full") return noise(480'000 - 90, 4, 0.5F);
  if (name == "two_chunks") {
    std::vector<float> values = sine(480'000, 3000, 0.8);
    const auto quiet = noise(20'000, 9, 0.001F);
    values.insert(values.end(), quiet.begin(), quiet.end());
    return values;
  }
  if (name == "mixed") {
    std::vector<float> values = sine(100'000, 1234.5, 0.3);
    const auto quiet = noise(100'000, 5, 0.01F);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += quiet[i];
    return values;
  }
  std::vector<float> values(16'000);
  if (name == "impulse") values[800] = 1;
  return values;
}

float value_at(const std::vector<float>& mel, std::int64_t bin, std::int64_t frame) {
  return mel[static_cast<std::size_t>(bin * kMelFrames + frame)];
}

TEST(LogMel, EqualsWhispersFeatureExtractor) {
  const JsonView fixture =
      read_json(TARSIER_SOURCE_DIR "/tests/fixtures/media/log_mel.json", JsonOwner::input);
  const auto stride = static_cast<std::size_t>(fixture.at("stride").as_int());
  const JsonView sounds = fixture.at("sounds");
  ASSERT_EQ(sounds.size(), 8);
  for (std::int64_t i = 0; i < sounds.size(); ++i) {
    const JsonView row = sounds.at(i);
    const std::string name = row.at("name").as_string();
    const auto mel = log_mel(sound_named(name));
    ASSERT_EQ(static_cast<std::int64_t>(mel.size()),
              row.at("chunks").as_int() * kMelBins * kMelFrames);
    double from_whisper = 0, from_exact = 0;
    for (std::int64_t k = 0; k < row.at("exact").size(); ++k) {
      const double ours = mel[static_cast<std::size_t>(k) * stride];
      from_whisper = std::max(from_whisper, std::abs(ours - row.at("whisper").at(k).as_double()));
      from_exact = std::max(from_exact, std::abs(ours - row.at("exact").at(k).as_double()));
    }
    EXPECT_LT(from_whisper, 1e-4) << name;  // whose f32 is that far from the formula itself
    EXPECT_LT(from_exact, 1e-6) << name;
    const double mean =
        std::accumulate(mel.begin(), mel.end(), 0.0) / static_cast<double>(mel.size());
    EXPECT_NEAR(mean, row.at("mean").as_double(), 1e-6) << name;
    EXPECT_NEAR(*std::max_element(mel.begin(), mel.end()), row.at("max").as_double(), 1e-6) << name;
  }
}

TEST(LogMel, FilterBank) {
  const auto filters = mel_filters();
  ASSERT_EQ(filters.size(), 128U * 201U);
  EXPECT_EQ(std::count_if(filters.begin(), filters.end(), [](double w) { return w > 0; }), 394);
  EXPECT_NEAR(*std::max_element(filters.begin(), filters.end()), 0.0416817, 1e-7);
  EXPECT_NEAR(std::accumulate(filters.begin(), filters.end(), 0.0), 3.1909855, 1e-6);
  EXPECT_NEAR(filters[1], 0.012374, 1e-6);
  EXPECT_NEAR(filters[10 * 201 + 7], 0.001085, 1e-6);
  EXPECT_NEAR(filters[63 * 201 + 42], 0.017935, 1e-6);
  EXPECT_NEAR(filters[127 * 201 + 195], 0.005042, 1e-6);
}

TEST(LogMel, WorkedNumbers) {
  const auto tone = log_mel(sine(16'000, 440, 0.5));
  const std::vector<double> column = {-0.514646, 1.344505, 1.337491, 1.485354, 1.275244, 1.287393};
  for (std::size_t i = 0; i < column.size(); ++i)
    EXPECT_NEAR(value_at(tone, 15 + static_cast<std::int64_t>(i), 50), column[i], 1e-5);
  const std::vector<double> end = {1.483988, 1.334929, 0.389036, -0.514646, -0.514646};
  for (std::size_t i = 0; i < end.size(); ++i)
    EXPECT_NEAR(value_at(tone, 18, 99 + static_cast<std::int64_t>(i)), end[i], 1e-5);
  const auto impulse = log_mel(sound_named("impulse"));
  const float floor = *std::min_element(impulse.begin(), impulse.end());
  for (std::int64_t frame = 0; frame < 20; ++frame) {
    EXPECT_EQ(value_at(impulse, 60, frame) > floor, frame >= 4 && frame <= 6) << frame;
  }
}

TEST(LogMel, SilenceAndNothing) {
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{480'000}}) {
    EXPECT_EQ(log_mel(std::vector<float>(count)),
              std::vector<float>(static_cast<std::size_t>(kMelBins * kMelFrames), -1.5F));
  }
  EXPECT_EQ(mel_chunks(0), 1);
  EXPECT_EQ(mel_chunks(480'000), 1);
  EXPECT_EQ(mel_chunks(480'001), 2);
}

// A chunk knows nothing of the others.
TEST(LogMel, ChunksStandAlone) {
  const auto sound = sound_named("two_chunks");
  const auto both = log_mel(sound);
  const auto second = log_mel(std::span(sound).subspan(480'000));
  const auto half = static_cast<std::ptrdiff_t>(both.size() / 2);
  EXPECT_TRUE(std::equal(second.begin(), second.end(), both.begin() + half));
}

}  // namespace
}  // namespace tarsier
