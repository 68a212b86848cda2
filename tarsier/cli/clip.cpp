#include "tarsier/cli/clip.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/media/media_kinds.h"
#include "tarsier/media/png_writer.h"
#include "tarsier/media/resize.h"
#include "tarsier/media/video_reader.h"
#include "tarsier/processors/media_sound.h"

namespace tarsier {
namespace {

constexpr std::int64_t kGap = 4;  // pixels around the frames of a contact sheet

void refuse_for_image(const FrameRequest& request) {
  const auto refuse = [](const char* flag) {
    throw ConfigError({flag, "does not apply to a still image", "leave it out"});
  };
  if (request.frames && *request.frames != 1) refuse("--frames");
  if (request.fps) refuse("--fps");
  if (request.start) refuse("--start");
  if (request.end) refuse("--end");
}

/// A file of sound alone.
MediaClip read_sound_clip(const std::string& path, const FrameRequest& request) {
  const auto refuse = [](const char* flag) {
    throw ConfigError({flag, "does not apply to sound alone", "leave it out"});
  };
  if (request.frames) refuse("--frames");
  if (request.fps) refuse("--fps");
  const double start = request.start.value_or(0),
               end = request.end.value_or(std::numeric_limits<double>::infinity());
  if (!(start >= 0) || !(start < end))
    throw ConfigError({"--start", fmt::format("is {:g} s and --end {:g} s", start, end),
                       "the start comes before the end"});
  MediaClip clip;
  clip.path = path;
  clip.pictures = read_sound_alone(path, {start, end});
  clip.info.has_audio = true;
  clip.sound_seconds = clip.pictures->seconds;
  clip.start_seconds = start;
  clip.end_seconds = start + clip.sound_seconds;
  clip.info.seconds = clip.end_seconds;
  clip.choice.sampler = "sound alone";
  return clip;
}

}  // namespace

void add_clip_flags(CLI::App& app, ClipFlags& flags) {
  app.add_option("--frames", flags.request.frames,
                 "How many frames to look at; without it, the model's own number")
      ->type_name("N");
  app.add_option("--fps", flags.request.fps, "Frames a second to look at, in place of --frames")
      ->type_name("RATE");
  app.add_option("--start", flags.request.start, "Look from here on")->type_name("SECONDS");
  app.add_option("--end", flags.request.end, "Look up to here")->type_name("SECONDS");
  app.add_option("--audio", flags.audio,
                 "on: sound must be heard; off: it is not; without it, it is heard where the file "
                 "has any and the model can")
      ->type_name("on|off")
      ->check(CLI::IsMember({"on", "off"}));
  app.add_option("--show-frames", flags.show_frames, "Write the frames the model saw to a PNG file")
      ->type_name("FILE");
}

MediaClip read_picture_clip(const std::string& path, const SamplingRule& rule,
                            const FrameRequest& request, bool with_sound) {
  VideoReader reader(path);
  MediaClip clip;
  clip.path = path;
  clip.info = reader.info();
  auto pictures = std::make_shared<Pictures>();
  if (clip.info.is_still_image) {
    refuse_for_image(request);
    clip.choice = {{0}, {0.0}, 0, "image"};
    pictures->modality = Modality::image;
  } else {
    clip.choice = choose_frames(rule, clip.info, reader.frame_seconds(), request);
    pictures->seconds = clip.choice.part_seconds;
    const MediaPart part =
        part_of_video(clip.info, reader.frame_seconds(), request.start, request.end);
    clip.start_seconds = part.start;
    clip.end_seconds = part.end;
  }
  pictures->frames = reader.read(clip.choice.indices);
  if (with_sound && !clip.info.is_still_image) {
    pictures->sound = read_sound(path, {clip.start_seconds, clip.end_seconds});
    if (pictures->sound) clip.sound_seconds = seconds_of(*pictures->sound);
  }
  clip.pictures = std::move(pictures);
  return clip;
}

MediaClip read_clip(const std::string& path, const VideoLanguageModel& model,
                    const ClipFlags& flags) {
  const auto begin = std::chrono::steady_clock::now();
  const ModelInfo& info = model.info();
  const bool must = flags.audio == "on";
  if (must && !info.hears) {
    throw ConfigError({"--audio", fmt::format("is on, but {} cannot hear", info.name),
                       "leave it out, or use a model that `tarsier models` lists with sound"});
  }
  const MediaKinds kinds = media_kinds(path);
  const bool listens = info.hears && flags.audio != "off";
  if (must && !kinds.sound)
    throw InputError({path, "has no sound, and --audio is on", "leave --audio out"});
  if (!kinds.pictures && kinds.sound && !listens) {
    throw InputError({path, "is sound alone, which is not to be heard",
                      info.hears ? "leave --audio off out" : "use a model that hears"});
  }
  MediaClip clip =
      kinds.pictures || !kinds.sound
          ? read_picture_clip(path, model.sampling(), flags.request, listens && kinds.sound)
          : read_sound_clip(path, flags.request);
  clip.decode_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return clip;
}

Conversation question_about(const MediaClip& clip, std::string_view words) {
  return {{"user", {Part{"", clip.pictures}, Part{std::string(words), nullptr}}}};
}

std::string saw_line(const MediaClip& clip, const SeenMedia& seen, const ModelInfo& model) {
  const std::int64_t heard = sound_tokens(seen);
  if (clip.is_sound())
    return fmt::format("heard {:.1f} s of sound, {} audio tokens, model {}", clip.sound_seconds,
                       heard, model.name);
  const std::string size = fmt::format(
      "{}x{}, {} visual tokens{}", seen.resized.width, seen.resized.height, seen.tokens - heard,
      heard == 0 ? ""
                 : fmt::format(", {:.1f} s of sound, {} audio tokens", clip.sound_seconds, heard));
  if (clip.is_image()) return fmt::format("saw 1 image, {}, model {}", size, model.name);
  return fmt::format("saw {} frame{} ({:.2f}-{:.2f} s), {}, sampler {}, model {}", seen.frames,
                     seen.frames == 1 ? "" : "s", clip.choice.seconds.front(),
                     clip.choice.seconds.back(), size, clip.choice.sampler, model.name);
}

void write_contact_sheet(const std::string& file, const MediaClip& clip, const SeenMedia& seen) {
  const std::vector<Frame>& frames = clip.pictures->frames;
  if (frames.empty())
    throw ConfigError({"--show-frames", clip.path + " is sound alone", "leave it out"});
  const auto count = static_cast<std::int64_t>(frames.size());
  const auto [height, width] = seen.resized;
  const auto columns = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  const std::int64_t rows = (count + columns - 1) / columns;
  const Size sheet{rows * (height + kGap) + kGap, columns * (width + kGap) + kGap};
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(sheet.height * sheet.width * 3), 255);
  for (std::int64_t i = 0; i < count; ++i) {
    const Frame& frame = frames[static_cast<std::size_t>(i)];
    const std::vector<std::uint8_t> small =
        resize_bicubic(frame.rgb, {frame.height, frame.width}, seen.resized);
    const std::int64_t top = kGap + i / columns * (height + kGap),
                       left = kGap + i % columns * (width + kGap);
    for (std::int64_t y = 0; y < height; ++y) {
      std::copy_n(small.begin() + y * width * 3, width * 3,
                  pixels.begin() + ((top + y) * sheet.width + left) * 3);
    }
  }
  write_png(file, pixels, sheet);
}

}  // namespace tarsier
