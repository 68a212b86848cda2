#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tarsier {

/// How video-SALMONN 2 lays a sound's tokens between the frames of its video: the same number
/// behind every frame, whatever the time, some of them repeated to make it even; what lies past the
/// video's end follows the last frame (models-video-salmonn-2.md 2.5).
struct SoundSpread {
  std::int64_t per_frame = 0;
  std::vector<std::int64_t> source;  // [frames * per_frame]: the sound token at each place
  std::int64_t back = 0;             // the first of those behind the last frame

  /// Of `tokens` tokens of sound, repeats included.
  std::int64_t placed(std::int64_t tokens) const {
    return static_cast<std::int64_t>(source.size()) + tokens - back;
  }
};

/// `tokens` tokens of sound over `frames` frames, at least 1, of a video of `seconds` seconds.
SoundSpread spread_sound(std::int64_t tokens, std::int64_t frames, double seconds);

/// The words behind each frame of a video without sound: when it ends, in seconds with one decimal
/// ("2.5"), as Python's str(round(seconds / frames * f, 1)).
std::vector<std::string> time_words(double seconds, std::int64_t frames);

}  // namespace tarsier
