#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "tarsier/base/random.h"
#include "tarsier/media/video_writer.h"

namespace tarsier::testing {

/// A picture of soft waves that `scene` draws, moved by `shift` of its width: unlike for other
/// scenes, alike at any size.
inline std::vector<std::uint8_t> scene_picture(std::uint64_t scene, double shift, Size size) {
  constexpr int kWaves = 5;
  Random random({scene, 0x5ce});
  double base[3], across[3][kWaves], down[3][kWaves], phase[3][kWaves];
  for (int c = 0; c < 3; ++c) {
    base[c] = random.uniform(40, 215);
    for (int k = 0; k < kWaves; ++k) {
      across[c][k] = random.uniform(-3, 3);
      down[c][k] = random.uniform(-3, 3);
      phase[c][k] = random.uniform(0, 6.28);
    }
  }
  std::vector<std::uint8_t> rgb;
  for (std::int64_t y = 0; y < size.height; ++y) {
    for (std::int64_t x = 0; x < size.width; ++x) {
      const double u = (static_cast<double>(x) + 0.5) / static_cast<double>(size.width) + shift;
      const double v = (static_cast<double>(y) + 0.5) / static_cast<double>(size.height);
      for (int c = 0; c < 3; ++c) {
        double value = base[c];
        for (int k = 0; k < kWaves; ++k)
          value += 15 * std::cos(6.28 * (across[c][k] * u + down[c][k] * v) + phase[c][k]);
        rgb.push_back(static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0)));
      }
    }
  }
  return rgb;
}

struct SmallVideo {
  std::vector<std::uint64_t> scenes = {1};  // one shot each, of equal length
  double seconds = 2;
  int frames_per_second = 10;
  Size size = {96, 128};
  int crf = 23;
  double speed = 0.05;  // of the picture's width, a second
};

inline std::filesystem::path write_video(const std::filesystem::path& file,
                                         const SmallVideo& video = {}) {
  VideoWriterOptions options;
  options.frames_per_second = video.frames_per_second;
  options.crf = video.crf;
  VideoWriter writer(file, video.size, options);
  const int frames = static_cast<int>(video.seconds * video.frames_per_second);
  for (int i = 0; i < frames; ++i) {
    const std::size_t shot =
        static_cast<std::size_t>(i) * video.scenes.size() / static_cast<std::size_t>(frames);
    const double shift = video.speed * i / video.frames_per_second;
    writer.write(scene_picture(video.scenes[shot], shift, video.size));
  }
  writer.finish();
  return file;
}

}  // namespace tarsier::testing
