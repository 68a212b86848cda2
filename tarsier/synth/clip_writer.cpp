#include "tarsier/synth/clip_writer.h"

#include <unistd.h>

#include <string>

#include "tarsier/media/video_writer.h"
#include "tarsier/synth/raster.h"
#include "tarsier/synth/soundtrack.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {

void write_clip(const Clip& clip, const std::filesystem::path& file, std::int64_t side) {
  VideoWriterOptions options;  // H.264, CRF 23
  options.frames_per_second = kFramesPerSecond;
  options.comment = kWorldMark;
  if (!clip.sounds.empty()) {
    options.sound.codec = "aac";
    options.sound.sample_rate = kSoundRate;
  }
  VideoWriter writer(file, Size{.height = side, .width = side}, options);
  Renderer renderer(clip, side);
  std::vector<std::uint8_t> rgb(static_cast<std::size_t>(side * side * 3));
  for (std::int64_t frame = 0; frame < frame_count(clip); ++frame) {
    renderer.render(static_cast<double>(frame) / kFramesPerSecond, rgb);
    writer.write(rgb);
  }
  if (!clip.sounds.empty()) writer.write_sound(soundtrack(clip));
  writer.finish();
}

void write_clip_once(const Clip& clip, const std::filesystem::path& file) {
  if (std::filesystem::exists(file)) return;
  const std::filesystem::path beside =
      file.parent_path() / ("." + std::to_string(::getpid()) + "." + file.filename().string());
  write_clip(clip, beside);
  std::filesystem::rename(beside, file);
}

}  // namespace tarsier
