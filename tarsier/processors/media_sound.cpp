#include "tarsier/processors/media_sound.h"

#include <fmt/format.h>

#include <algorithm>

#include "tarsier/base/error.h"
#include "tarsier/media/audio_reader.h"

namespace tarsier {
namespace {

constexpr double kLongest = 1e9;  // seconds; no file is

}  // namespace

MediaPart part_of_video(const VideoInfo& info, const std::vector<double>& frame_seconds,
                        std::optional<double> start, std::optional<double> end) {
  return {std::max(start.value_or(0), frame_seconds.front()),
          std::min(end.value_or(info.seconds), info.seconds)};
}

std::shared_ptr<const Sound> read_sound(const std::filesystem::path& file, const MediaPart& part) {
  if (!(part.start >= 0 && part.start < kLongest && part.start < part.end))
    throw InputError({file.string(),
                      fmt::format("has no part from {:g} s to {:g} s", part.start, part.end),
                      "the start comes before the end, and within the file"});
  AudioOptions options;
  options.start_seconds = part.start;
  options.end_seconds = part.end;
  std::optional<Audio> audio = read_audio(file, options);
  if (!audio) return nullptr;
  return std::make_shared<const Sound>(Sound{std::move(audio->samples)});
}

std::shared_ptr<const Pictures> read_sound_alone(const std::filesystem::path& file,
                                                 const MediaPart& part) {
  auto alone = std::make_shared<Pictures>();
  alone->modality = Modality::audio;
  alone->sound = read_sound(file, part);
  if (!alone->sound || alone->sound->samples.empty())
    throw InputError({file.string(), fmt::format("has no sound from {:g} s on", part.start),
                      "give a time inside the file"});
  alone->seconds = seconds_of(*alone->sound);
  return alone;
}

double seconds_of(const Sound& sound) {
  return static_cast<double>(sound.samples.size()) / kAudioRate;
}

}  // namespace tarsier
