#pragma once

#include <cstdint>

#include "tarsier/tensor/tensor.h"

namespace tarsier {

// Two tables of sines that look alike and are not (models-video-salmonn-2.md 2.4).

/// Whisper's positions: row t holds sin(t w_j), then cos(t w_j), w_j = 10000^(-j / (width / 2 -
/// 1)). f32 [positions, width], width even and at least 4. Checkpoints store it; this is for fresh
/// weights.
Tensor whisper_positions(std::int64_t positions, std::int64_t width);

/// What video-SALMONN 2 adds to the tokens of chunk c of 30 s: row 0 is zero, row c holds sin((c -
/// 1) w_i), cos((c - 1) w_i) in turn, w_i = 10000^(-2 i / width). f32 [chunks, width], width even.
Tensor chunk_positions(std::int64_t chunks, std::int64_t width);

}  // namespace tarsier
