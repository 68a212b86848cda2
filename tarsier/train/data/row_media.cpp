#include "tarsier/train/data/row_media.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <span>
#include <tuple>
#include <utility>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/data/rows/row_input.h"
#include "tarsier/processors/media_sound.h"

namespace tarsier {
namespace {

JsonView setting(const Media& media, const std::string& key) {
  return parse_json(media.extra.at(key), key, JsonOwner::input);
}

/// A file's frames, or pictures that are the frames of a video in this order.
class FrameFiles {
 public:
  FrameFiles(const Media& media, const std::string& folder) {
    for (const std::string& file : media.files) paths_.push_back(media_path(folder, file));
    if (!media.is_list) {
      video_.emplace(paths_.front());
      info_ = video_->info();
      seconds_ = video_->frame_seconds();
      return;
    }
    // Pictures have no times; a second each keeps their order.
    info_.frames = static_cast<std::int64_t>(paths_.size());
    info_.seconds = static_cast<double>(info_.frames);
    for (std::int64_t i = 0; i < info_.frames; ++i) seconds_.push_back(static_cast<double>(i));
  }

  bool have_times() const { return video_ && !info_.is_still_image; }
  const std::filesystem::path& first() const { return paths_.front(); }
  const VideoInfo& info() const { return info_; }
  const std::vector<double>& seconds() const { return seconds_; }

  std::vector<Frame> read(std::span<const std::int64_t> ascending) {
    if (video_) return video_->read(ascending);
    std::vector<Frame> frames;
    for (const std::int64_t index : ascending) {
      const std::filesystem::path& path = paths_[static_cast<std::size_t>(index)];
      VideoReader picture(path);
      if (picture.info().frames != 1)
        throw InputError({path.filename().string(), "is a video in a list of pictures",
                          "name a video alone, without a list"});
      frames.push_back(std::move(picture.read(std::vector<std::int64_t>{0}).front()));
      frames.back().index = index;
      frames.back().seconds = static_cast<double>(index);
      if (frames.back().height != frames[0].height || frames.back().width != frames[0].width)
        throw InputError({path.filename().string(), "is not of the first picture's size",
                          "give the frames of a video one size"});
    }
    return frames;
  }

 private:
  std::vector<std::filesystem::path> paths_;
  std::optional<VideoReader> video_;
  VideoInfo info_;
  std::vector<double> seconds_;
};

bool asks_for_sound(const Media& media) {
  return media.kind == MediaKind::audio || media.use_audio == true ||
         (!media.audio_file.empty() && media.use_audio != false);
}

void refuse_what_is_not_done(const Media& media, bool hears) {
  if (media.files.empty()) throw InputError({"media", "has no file", "give it one"});
  if (asks_for_sound(media) && !hears)
    throw InputError({"media", "is to be heard, and this model has no ears",
                      "leave audio_file and use_audio out"});
  if (asks_for_sound(media) && media.kind == MediaKind::image)
    throw InputError(
        {"media", "is an image, which has no sound", "leave audio_file and use_audio out"});
  if (media.extra.contains("min_n_frames"))
    throw InputError({"min_n_frames", "is not done in training", "give n_frames or fps"});
}

std::int64_t frame_at(std::span<const double> seconds, double time, double end) {
  if (!(time >= 0 && time <= end))
    throw InputError({"time_indices", fmt::format("has {:g} s of {:.3f}", time, end),
                      "give times within the video"});
  constexpr double kRounding = 1e-6;  // containers count in ticks
  const auto next = std::upper_bound(seconds.begin(), seconds.end(), time + kRounding);
  return std::max<std::int64_t>(0, next - seconds.begin() - 1);
}

// Frames that the row names one by one; empty when it does not.
std::vector<std::int64_t> named_frames(const Media& media, const FrameFiles& files) {
  std::vector<std::int64_t> indices = media.frame_indices;
  if (indices.empty() && media.extra.contains("time_indices")) {
    const JsonView times = setting(media, "time_indices");
    for (std::int64_t i = 0; i < times.size(); ++i)
      indices.push_back(frame_at(files.seconds(), times.at(i).as_double(), files.info().seconds));
  }
  for (const std::int64_t index : indices) {
    if (index < 0 || index >= files.info().frames)
      throw InputError({"frame_indices",
                        fmt::format("has frame {} of {}", index, files.info().frames),
                        "count frames from 0"});
  }
  return indices;
}

// The times a row gives of its part, in seconds or by frames.
std::pair<std::optional<double>, std::optional<double>> times_of(const Media& media,
                                                                 const FrameFiles& files) {
  const auto time_of = [&](const char* key, std::optional<double> seconds) {
    if (!media.extra.contains(key)) return seconds;
    const std::int64_t index = setting(media, key).as_int(0, files.info().frames - 1);
    return std::optional(files.seconds()[static_cast<std::size_t>(index)]);
  };
  return {time_of("start_frame", media.start), time_of("end_frame", media.end)};
}

FrameRequest request_of(const Media& media, const FrameFiles& files, const SamplingRule& rule,
                        std::optional<std::int64_t> frames) {
  if (media.is_list && (media.start || media.end))
    throw InputError({"start_time, end_time",
                      "are given for a list of pictures, which has no times",
                      "name the pictures that are meant"});
  FrameRequest request;
  std::tie(request.start, request.end) = times_of(media, files);
  if (media.extra.contains("n_frames")) request.frames = setting(media, "n_frames").as_int();
  if (media.extra.contains("fps")) request.fps = setting(media, "fps").as_double();
  if (!request.frames && !request.fps) request.frames = frames;
  // Qwen2-VL chooses by the clock, which a list has not: all of it is meant.
  if (media.is_list && rule.kind == SamplingRule::Kind::qwen2_vl && !request.frames && !request.fps)
    request.frames = files.info().frames;
  return request;
}

// All of what has no times.
MediaPart part_of(const Media& media, const FrameFiles& files) {
  if (!files.have_times()) return {};
  const auto [start, end] = times_of(media, files);
  return part_of_video(files.info(), files.seconds(), start, end);
}

// Of frames that are named; pictures have a second each.
double part_seconds(const Media& media, const FrameFiles& files) {
  if (!files.have_times()) return files.info().seconds;
  const MediaPart part = part_of(media, files);
  return std::max(0.0, part.end - part.start);
}

std::shared_ptr<const Pictures> sound_alone(const Media& media, const std::string& folder) {
  MediaPart part;
  if (media.start) part.start = *media.start;
  if (media.end) part.end = *media.end;
  return read_sound_alone(media_path(folder, media.files.front()), part);
}

// What is heard beside the pictures; null for nothing.
std::shared_ptr<const Sound> sound_of(const Media& media, const std::string& folder,
                                      const FrameFiles& files) {
  if (media.use_audio == false) return nullptr;
  if (!media.audio_file.empty()) {
    const std::filesystem::path file = media_path(folder, media.audio_file);
    const MediaPart part = part_of(media, files);
    std::shared_ptr<const Sound> sound = read_sound(file, part);
    if (!sound || sound->samples.empty())
      throw InputError({file.filename().string(),
                        fmt::format("has no sound from {:g} s on", part.start),
                        "give an audio_file that lasts as long as its video"});
    return sound;
  }
  if (files.info().has_audio) return read_sound(files.first(), part_of(media, files));
  if (media.use_audio == true)
    throw InputError({files.first().filename().string(), "has no sound, and use_audio is true",
                      "leave use_audio out, or give audio_file"});
  return nullptr;
}

// In the order asked for; each is decoded once.
std::vector<Frame> read_in_order(FrameFiles& files, const std::vector<std::int64_t>& indices) {
  if (std::adjacent_find(indices.begin(), indices.end(), std::greater_equal<>()) == indices.end())
    return files.read(indices);  // as a model chooses them: no copies
  std::vector<std::int64_t> ascending = indices;
  std::sort(ascending.begin(), ascending.end());
  ascending.erase(std::unique(ascending.begin(), ascending.end()), ascending.end());
  const std::vector<Frame> frames = files.read(ascending);
  std::vector<Frame> ordered;
  for (const std::int64_t index : indices) {
    const auto at = std::lower_bound(ascending.begin(), ascending.end(), index);
    ordered.push_back(frames[static_cast<std::size_t>(at - ascending.begin())]);
  }
  return ordered;
}

void black_out(Frame& frame, const JsonView& box) {
  const std::vector<std::int64_t> edges = box.as_ints();
  if (edges.size() != 4) box.fail("is not a box", "give [left, top, right, bottom] in pixels");
  const std::int64_t left = edges[0], top = edges[1], right = edges[2], bottom = edges[3];
  if (left < 0 || top < 0 || right > frame.width || bottom > frame.height || left >= right ||
      top >= bottom)
    box.fail(fmt::format("is not within the {} x {} picture", frame.width, frame.height),
             "give 0 <= left < right <= width and 0 <= top < bottom <= height");
  for (std::int64_t y = top; y < bottom; ++y) {
    const auto row = frame.rgb.begin() + 3 * (y * frame.width + left);
    std::fill(row, row + 3 * (right - left), std::uint8_t{0});
  }
}

void black_out(std::vector<Frame>& frames, const std::string& mask_boxes) {
  const JsonView boxes = parse_json(mask_boxes, "mask_boxes", JsonOwner::input);
  const bool for_each_frame =
      boxes.size() > 0 && (boxes.at(std::int64_t{0}).size() == 0 ||
                           boxes.at(std::int64_t{0}).at(std::int64_t{0}).is_array());
  if (!for_each_frame) {
    for (Frame& frame : frames) {
      for (std::int64_t i = 0; i < boxes.size(); ++i) black_out(frame, boxes.at(i));
    }
    return;
  }
  if (boxes.size() != static_cast<std::int64_t>(frames.size()))
    boxes.fail(fmt::format("has lists for {} frames, {} are shown", boxes.size(), frames.size()),
               "give one list a frame, or one for all");
  for (std::int64_t i = 0; i < boxes.size(); ++i) {
    for (std::int64_t k = 0; k < boxes.at(i).size(); ++k)
      black_out(frames[static_cast<std::size_t>(i)], boxes.at(i).at(k));
  }
}

}  // namespace

std::shared_ptr<const Pictures> read_row_media(const Media& media, const std::string& folder,
                                               const RowMediaSettings& settings) {
  refuse_what_is_not_done(media, settings.hears);
  if (media.kind == MediaKind::audio) return sound_alone(media, folder);
  const SamplingRule& rule = settings.sampling;
  FrameFiles files(media, folder);
  const bool is_image = media.kind == MediaKind::image;
  auto pictures = std::make_shared<Pictures>();
  pictures->modality = is_image ? Modality::image : Modality::video;
  std::vector<std::int64_t> indices = named_frames(media, files);
  if (indices.empty()) {
    const FrameRequest request =
        request_of(media, files, rule, is_image ? std::nullopt : settings.frames);
    FrameChoice choice = choose_frames(rule, files.info(), files.seconds(), request);
    indices = std::move(choice.indices);
    pictures->seconds = choice.part_seconds;
  } else if (static_cast<std::int64_t>(indices.size()) > rule.max_frames) {
    throw InputError({"frame_indices",
                      fmt::format("names {} frames, the model takes at most {}", indices.size(),
                                  rule.max_frames),
                      "name fewer"});
  } else if (!is_image) {
    pictures->seconds = part_seconds(media, files);
  }
  pictures->frames = read_in_order(files, indices);
  if (!media.mask_boxes.empty()) black_out(pictures->frames, media.mask_boxes);
  if (settings.hears && !is_image) pictures->sound = sound_of(media, folder, files);
  if (pictures->sound && !files.have_times()) pictures->seconds = seconds_of(*pictures->sound);
  return pictures;
}

}  // namespace tarsier
