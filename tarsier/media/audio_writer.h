#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace tarsier {

/// How to encode sound.
struct AudioTrackOptions {
  std::string codec;  // FFmpeg's encoder name: aac, flac, pcm_s16le, libopus
  int sample_rate = 16'000;
  int channels = 1;                  // 1, 2, or 6 for 5.1: left, right, centre, low, two surrounds
  std::int64_t bits_per_second = 0;  // 0: the encoder's default
  double start_seconds = 0;          // when the first sample is heard
};

/// Writes a file of sound alone, whole or not at all: `samples` f32 [samples, channels] in [-1, 1].
/// The container follows the extension (wav, flac, m4a, ogg, mka, aac). ConfigError: a codec, rate
/// or extension FFmpeg does not have. ResourceError: the file cannot be written.
void write_audio(const std::filesystem::path& file, std::span<const float> samples,
                 const AudioTrackOptions& options);

}  // namespace tarsier
