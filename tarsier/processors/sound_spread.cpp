#include "tarsier/processors/sound_spread.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

constexpr double kPositionsPerSecond = 50;  // of Whisper; the rule counts tokens as if they were

}  // namespace

SoundSpread spread_sound(std::int64_t tokens, std::int64_t frames, double seconds) {
  check(tokens >= 0 && frames >= 1 && seconds > 0, "sound is spread over frames that last");
  SoundSpread spread;
  const double heard = std::nearbyint(seconds * kPositionsPerSecond);
  spread.back = heard < static_cast<double>(tokens) ? static_cast<std::int64_t>(heard) : tokens;
  spread.per_frame = (spread.back + frames - 1) / frames;
  const std::int64_t places = spread.per_frame * frames;
  // torch's nearest-neighbour interpolation: index and scale in f32.
  const float scale = static_cast<float>(spread.back) / static_cast<float>(places);
  for (std::int64_t i = 0; i < places; ++i) {
    const auto from = static_cast<std::int64_t>(std::floor(static_cast<float>(i) * scale));
    spread.source.push_back(places == spread.back ? i : std::min(from, spread.back - 1));
  }
  return spread;
}

std::vector<std::string> time_words(double seconds, std::int64_t frames) {
  check(frames >= 1 && seconds > 0, "frames are told when they end in a video that lasts");
  std::vector<std::string> words;
  for (std::int64_t f = 1; f <= frames; ++f) {
    words.push_back(
        fmt::format("{:.1f}", seconds / static_cast<double>(frames) * static_cast<double>(f)));
  }
  return words;
}

}  // namespace tarsier
