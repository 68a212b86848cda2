#include "tarsier/data/corrupt/corrupt.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tarsier/data/draw_key.h"
#include "tarsier/media/sampling.h"
#include "tarsier/media/video_reader.h"

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kCorruptionStream = 0xc0;

std::vector<const Media*> videos_of(const Record& record) {
  std::vector<const Media*> videos;
  for (const Media& media : record.media) {
    if (media.kind == MediaKind::video) videos.push_back(&media);
  }
  return videos;
}

// Boxes for all frames are [[left, ...], ...]; for each frame [[[left, ...], ...], ...].
bool masks_each_frame(const Media& media) {
  if (media.mask_boxes.empty()) return false;
  const Json boxes = Json::parse(media.mask_boxes);
  return boxes.is_array() && !boxes.empty() && boxes[0].is_array() &&
         (boxes[0].empty() || boxes[0][0].is_array());
}

// Why a row has no video whose frames can be listed, before any is opened.
std::optional<Dropped> unfit(const Record& record) {
  const auto videos = videos_of(record);
  if (videos.empty()) return Dropped{"no_video", "shows no video"};
  if (videos.size() > 1)
    return Dropped{"several_videos", fmt::format("shows {}, expected one", videos.size())};
  const Media& video = *videos[0];
  if (masks_each_frame(video))
    return Dropped{"masks", "has masks of each frame, which would cover other frames"};
  if (!std::is_sorted(video.frame_indices.begin(), video.frame_indices.end()))
    return Dropped{"frame_order", "frame_indices do not ascend"};
  if (!video.frame_indices.empty()) return std::nullopt;
  for (const char* key : {"fps", "time_indices", "min_n_frames"}) {
    if (video.extra.contains(key))
      return Dropped{"own_sampling", fmt::format("chooses its frames by {}", key)};
  }
  return std::nullopt;
}

// The frames of the video that the row means.
FrameRange meant_frames(const Media& video, const std::string& folder) {
  FrameRange range;
  if (video.is_list) {
    if (video.start || video.end)
      throw InputError({"start_time, end_time",
                        "are given for a list of pictures, which has no times",
                        "name the pictures that are meant"});
    range = {0, static_cast<std::int64_t>(video.files.size()) - 1};
  } else {
    const VideoReader reader(media_path(folder, video.files.front()));
    range = frames_in_window(reader.frame_seconds(), reader.info().seconds, video.start, video.end);
  }
  const auto bound = [&](const char* key, std::int64_t otherwise) {
    const auto found = video.extra.find(key);
    if (found == video.extra.end()) return otherwise;
    return parse_json(found->second, key, JsonOwner::input).as_int(range.first, range.last);
  };
  const FrameRange meant{bound("start_frame", range.first), bound("end_frame", range.last)};
  if (meant.last < meant.first)
    throw InputError({"end_frame", "lies before start_frame", "give the later frame to end_frame"});
  return meant;
}

// The intact frames, as JSON; nothing for a row that is dropped.
std::string examine_row(const Row& row, const CorruptionSettings& settings) {
  if (unfit(row.record)) return "";
  const Media& video = *videos_of(row.record)[0];
  if (!video.frame_indices.empty()) {
    if (video.frame_indices.front() < 0)
      throw InputError({row.record.where + ": frame_indices",
                        fmt::format("has frame {}", video.frame_indices.front()),
                        "count frames from 0"});
    return Json(video.frame_indices).dump();
  }
  try {
    const FrameRange range = meant_frames(video, row.folder);
    std::int64_t count = settings.frames;
    if (const auto own = video.extra.find("n_frames"); own != video.extra.end())
      count = parse_json(own->second, "n_frames", JsonOwner::input).as_int(1, 1 << 20);
    return Json(sample_uniform(range.first, range.last, count)).dump();
  } catch (const InputError& error) {
    throw InputError({row.record.where, error.what(), "mend or remove the row"});
  }
}

std::uint64_t key_of(const Record& record) {
  const Media& video = *videos_of(record)[0];
  std::string key = fmt::format("{}|{}|{}", video.files.front(), video.start.value_or(-1),
                                video.end.value_or(-1));
  for (const Turn& turn : record.turns) {
    if (turn.role == Role::user) key += "|" + text_of(turn);
  }
  return draw_key(key);
}

Decision corrupt_row(Record record, const std::string& facts, const CorruptionSettings& settings) {
  for (const char* key : {"corruptions", "corrupted_from"}) {
    if (record.extra.contains(key))
      throw InputError({fmt::format("{}: {}", record.where, key), "is there already",
                        "remove it, or take the rows as they were before"});
  }
  if (auto why = unfit(record)) return *std::move(why);
  RowCorruptions corruptions;
  corruptions.intact = Json::parse(facts).get<std::vector<std::int64_t>>();
  const auto frames = static_cast<std::int64_t>(corruptions.intact.size());
  if (frames < kFewestIntactFrames)
    return Dropped{"short", fmt::format("{} frames, at least {}", frames, kFewestIntactFrames)};
  corruptions.corrupted = draw_corruptions(corruptions.intact, settings, key_of(record));
  write_corruptions(record, corruptions);
  return std::vector{std::move(record)};
}

}  // namespace

std::string CorruptionSettings::json() const {
  Json names = Json::array();
  for (const Corruption kind : kinds) names.push_back(name_of(kind));
  return Json{{"kinds", names},
              {"per_row", per_row},
              {"frames", frames},
              {"crop_keep", crop_keep.text()},
              {"seed", seed}}
      .dump();
}

std::vector<CorruptedFrames> draw_corruptions(std::span<const std::int64_t> frames,
                                              const CorruptionSettings& settings,
                                              std::uint64_t key) {
  Random random({settings.seed, kCorruptionStream, key});
  std::vector<CorruptedFrames> drawn;
  std::vector<Corruption> left;
  while (static_cast<std::int64_t>(drawn.size()) < settings.per_row) {
    if (left.empty()) {
      left = settings.kinds;
      random.shuffle(left);
    }
    drawn.push_back({left.back(), corrupt_frames(left.back(), frames, settings.crop_keep, random)});
    left.pop_back();
  }
  return drawn;
}

RowStage make_corruption_stage(const CorruptionSettings& settings) {
  RowStage stage;
  stage.examine = [settings](const Row& row) { return examine_row(row, settings); };
  stage.decide = [settings](Row& row, const std::string& facts) {
    return corrupt_row(row.record, facts, settings);
  };
  return stage;
}

}  // namespace tarsier
