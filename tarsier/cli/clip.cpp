#include "tarsier/cli/clip.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/media/png_writer.h"
#include "tarsier/media/resize.h"
#include "tarsier/media/video_reader.h"

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

}  // namespace

void add_clip_flags(CLI::App& app, ClipFlags& flags) {
  app.add_option("--frames", flags.request.frames,
                 "How many frames to look at; without it, the model's own number")
      ->type_name("N");
  app.add_option("--fps", flags.request.fps, "Frames a second to look at, in place of --frames")
      ->type_name("RATE");
  app.add_option("--start", flags.request.start, "Look from here on")->type_name("SECONDS");
  app.add_option("--end", flags.request.end, "Look up to here")->type_name("SECONDS");
  app.add_option("--show-frames", flags.show_frames, "Write the frames the model saw to a PNG file")
      ->type_name("FILE");
}

MediaClip read_clip(const std::string& path, const SamplingRule& rule,
                    const FrameRequest& request) {
  const auto begin = std::chrono::steady_clock::now();
  VideoReader reader(path);
  MediaClip clip;
  clip.path = path;
  clip.info = reader.info();
  auto pictures = std::make_shared<Pictures>();
  if (clip.info.is_still_image) {
    refuse_for_image(request);
    clip.choice = {{0}, {0.0}, "image"};
    pictures->modality = Modality::image;
  } else {
    clip.choice = choose_frames(rule, clip.info, reader.frame_seconds(), request);
    clip.start_seconds = std::max(request.start.value_or(0), reader.frame_seconds().front());
    clip.end_seconds = std::min(request.end.value_or(clip.info.seconds), clip.info.seconds);
  }
  pictures->frames = reader.read(clip.choice.indices);
  clip.pictures = std::move(pictures);
  clip.decode_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return clip;
}

Conversation question_about(const MediaClip& clip, std::string_view words) {
  return {{"user", {Part{"", clip.pictures}, Part{std::string(words), nullptr}}}};
}

std::string saw_line(const MediaClip& clip, const SeenMedia& seen, const ModelInfo& model) {
  const std::string size =
      fmt::format("{}x{}, {} visual tokens", seen.resized.width, seen.resized.height, seen.tokens);
  if (clip.is_image()) return fmt::format("saw 1 image, {}, model {}", size, model.name);
  return fmt::format("saw {} frame{} ({:.2f}-{:.2f} s), {}, sampler {}, model {}", seen.frames,
                     seen.frames == 1 ? "" : "s", clip.choice.seconds.front(),
                     clip.choice.seconds.back(), size, clip.choice.sampler, model.name);
}

void write_contact_sheet(const std::string& file, const MediaClip& clip, const SeenMedia& seen) {
  const std::vector<Frame>& frames = clip.pictures->frames;
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
