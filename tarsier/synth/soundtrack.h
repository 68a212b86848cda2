#pragma once

#include <vector>

#include "tarsier/synth/world.h"

namespace tarsier {

inline constexpr int kSoundRate = 16'000;  // samples a second

/// A whole clip's sound: f32 [seconds x 16000], mono, in [-1, 1], each a multiple of 2^-15. Over a
/// faint noise, its sounds. A pure function of the clip, the same on every machine whose std::sin
/// is (to the 16 bits that are kept).
std::vector<float> soundtrack(const Clip& clip);

}  // namespace tarsier
