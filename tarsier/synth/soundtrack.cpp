#include "tarsier/synth/soundtrack.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "tarsier/base/random.h"
#include "tarsier/synth/sounds.h"

namespace tarsier {
namespace {

constexpr double kLoudness = 0.3, kNoise = 0.002;
constexpr double kSteps = 32768;  // of 16 bits, for 1
constexpr std::int64_t kFade = kSoundRate / 100, kClickFade = kSoundRate / 1000;

// Adds a sine whose pitch goes evenly from one to the other, with short fades so that it neither
// starts nor ends with a click.
void add_sine(std::span<double> wave, double hertz, double to_hertz, std::int64_t fade) {
  const auto count = static_cast<std::int64_t>(wave.size());
  const double seconds = static_cast<double>(count) / kSoundRate;
  for (std::int64_t i = 0; i < count; ++i) {
    const double t = static_cast<double>(i) / kSoundRate;
    const double turns = hertz * t + (to_hertz - hertz) * t * t / (2 * seconds);
    const double gain =
        std::min(1.0, static_cast<double>(std::min(i, count - 1 - i)) / static_cast<double>(fade));
    wave[static_cast<std::size_t>(i)] += gain * std::sin(2 * std::numbers::pi * turns);
  }
}

void add_click(std::span<double> wave, double hertz) {
  add_sine(wave, hertz, hertz, kClickFade);
  const auto count = static_cast<double>(wave.size());
  for (std::size_t i = 0; i < wave.size(); ++i) {
    const double left = 1 - static_cast<double>(i) / count;
    wave[i] *= left * left * left * left;
  }
}

void add_beeps(std::span<double> wave, int beeps, double hertz) {
  const std::size_t length = wave.size() / static_cast<std::size_t>(2 * beeps - 1);
  for (std::size_t beep = 0; beep < static_cast<std::size_t>(beeps); ++beep)
    add_sine(wave.subspan(2 * beep * length, length), hertz, hertz, kFade);
}

std::size_t sample_at(double seconds) {
  return static_cast<std::size_t>(std::llround(seconds * kSoundRate));
}

}  // namespace

std::vector<float> soundtrack(const Clip& clip) {
  std::vector<double> wave(sample_at(clip.seconds));
  for (const ClipSound& sound : clip.sounds) {
    const std::size_t begin = sample_at(sound.start);
    const std::span<double> part = std::span(wave).subspan(begin, sample_at(sound.end) - begin);
    if (sound.kind == SoundKind::click) {
      add_click(part, sound.hertz);
    } else if (beeps_in(sound.kind) > 0) {
      add_beeps(part, beeps_in(sound.kind), sound.hertz);
    } else {
      add_sine(part, sound.hertz, sound.to_hertz, kFade);
    }
  }
  constexpr std::uint64_t kTag = 0x6e6f697365;  // "noise"
  Random random({kTag, static_cast<std::uint64_t>(clip.split), clip.seed, clip.index});
  std::vector<float> samples;
  samples.reserve(wave.size());
  for (const double value : wave) {
    const double heard = kLoudness * value + random.uniform(-kNoise, kNoise);
    samples.push_back(static_cast<float>(std::round(heard * kSteps) / kSteps));
  }
  return samples;
}

}  // namespace tarsier
