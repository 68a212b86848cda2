#pragma once

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numbers>
#include <string>
#include <vector>

#include "numbered_video.h"
#include "tarsier/media/audio_reader.h"
#include "tarsier/media/audio_writer.h"

namespace tarsier::testing {

/// `seconds` of a sine, f32 [samples, channels], the same in every channel; on a grid of 1 / 32768,
/// so that 16-bit sound keeps it exactly.
inline std::vector<float> tone(double seconds, int rate = 16'000, int channels = 1,
                               double hertz = 440) {
  std::vector<float> samples;
  for (int n = 0; n < static_cast<int>(std::lround(seconds * rate)); ++n) {
    const double value = 0.4 * std::sin(2 * std::numbers::pi * hertz * n / rate);
    samples.insert(samples.end(), static_cast<std::size_t>(channels),
                   static_cast<float>(std::round(value * 32768) / 32768));
  }
  return samples;
}

/// A video of `frames` numbered pictures at 25 a second, with `samples` as its sound.
inline void write_clip(const std::filesystem::path& file, std::int64_t frames,
                       const std::vector<float>& samples, const AudioTrackOptions& sound,
                       VideoWriterOptions options = {}) {
  options.sound = sound;
  VideoWriter writer(file, {48, 64}, options);
  writer.write_sound(samples);
  for (std::int64_t i = 0; i < frames; ++i) writer.write(numbered_picture(i, {48, 64}));
  writer.finish();
}

/// The largest distance of two lists of equal length; infinity when their lengths differ.
inline double distance(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    most = std::max(most, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return most;
}

inline double loudness(std::span<const float> samples) {
  double sum = 0;
  for (const float v : samples) sum += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(sum / static_cast<double>(std::max<std::size_t>(1, samples.size())));
}

}  // namespace tarsier::testing
