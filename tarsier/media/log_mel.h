#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tarsier {

// Whisper's front end for its large-v3 encoder: 30 s of 16 kHz sound become 128 x 3000 numbers.
inline constexpr std::int64_t kMelBins = 128;
inline constexpr std::int64_t kMelFrames = 3000;           // of 10 ms
inline constexpr std::int64_t kMelChunkSamples = 480'000;  // 30 s

/// How many 30 s chunks sound of this length fills; the last one may be short, and no sound at all
/// is one chunk of silence.
std::int64_t mel_chunks(std::int64_t samples);

/// The log-mel spectrogram of mono sound at 16 kHz, [chunks, kMelBins, kMelFrames]. Each chunk is
/// padded with silence to 30 s and taken for itself: its loudest value sets its own floor.
///
/// Equals transformers' WhisperFeatureExtractor (feature_size 128) up to the rounding of its f32:
/// windows of 400 samples (periodic Hann) every 160, the ends mirrored, the last one left out;
/// power; 128 triangles on Slaney's mel scale from 0 to 8000 Hz with areas of one; log10 of no less
/// than 1e-10 and no less than 8 below the maximum; (y + 4) / 4. Computed in f64, the same on every
/// run.
std::vector<float> log_mel(std::span<const float> samples);

/// The weight of each mel bin at each of the 201 frequencies 0, 40, ... 8000 Hz, f64
/// [kMelBins, 201].
std::vector<double> mel_filters();

}  // namespace tarsier
