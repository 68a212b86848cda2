#include "tarsier/data/selfsup/selfsup.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <span>

#include "tarsier/base/random.h"
#include "tarsier/data/draw_key.h"
#include "tarsier/media/sampling.h"
#include "tarsier/media/video_reader.h"

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kVideosRemembered = 64;
constexpr std::int64_t kFramesOfHalf = 4;
constexpr std::uint64_t kOrder = 1, kReversal = 2, kMatching = 3;  // streams of random numbers

TurnPart words(std::string text) {
  TurnPart part;
  part.text = std::move(text);
  return part;
}

void show(Record& record, const std::string& file, std::vector<std::int64_t> frames) {
  Media media;
  media.files = {file};
  media.frame_indices = std::move(frames);
  record.media.push_back(std::move(media));
  TurnPart part;
  part.media = record.media.size() - 1;
  record.turns[0].parts.push_back(std::move(part));
}

Record begin_row(const char* task) {
  Record record;
  record.turns.resize(2);
  record.turns[1].role = Role::assistant;
  record.extra = {{"dataset", R"("self-supervised")"}, {"task", Json(task).dump()}};
  return record;
}

void answer(Record& record, std::string text) {
  record.turns[1].parts.push_back(words(std::move(text)));
}

std::vector<std::int64_t> frames_of(const SourceVideo& video, std::int64_t count) {
  return sample_uniform(video.first, video.first + video.frames - 1, count);
}

std::int64_t draw_count(const SourceVideo& video, const SelfSupervisedSettings& settings,
                        Random& random) {
  return random.integer(settings.min_frames, std::min(settings.max_frames, video.frames));
}

std::string lines_of(std::span<const std::int64_t> numbers) {
  std::string text;
  for (const std::int64_t number : numbers)
    text += fmt::format("{}{}", text.empty() ? "" : "\n", number);
  return text;
}

SourceVideo half(const SourceVideo& video, bool second) {
  const std::int64_t middle = video.frames / 2;
  return second ? SourceVideo{video.file, video.first + middle, video.frames - middle}
                : SourceVideo{video.file, video.first, middle};
}

/// What examine() says of a row: where its video begins and how many frames it has.
std::string examine_row(const Row& row) {
  for (const Media& media : row.record.media) {
    if (media.kind != MediaKind::video || media.is_list) continue;
    try {
      const VideoReader reader(media_path(row.folder, media.files.front()));
      const FrameRange range =
          frames_in_window(reader.frame_seconds(), reader.info().seconds, media.start, media.end);
      return Json{{"file", media.files.front()}, {"first", range.first}, {"frames", range.count()}}
          .dump();
    } catch (const InputError& error) {
      throw InputError({row.record.where, error.what(), "mend or remove the row"});
    }
  }
  return "";
}

/// Which rows come of which video, with the memory that matching and repeats need.
class Tasks {
 public:
  explicit Tasks(const SelfSupervisedSettings& settings) : settings_(settings) {}

  Decision decide(const Row& row, const std::string& facts) {
    if (facts.empty() || facts == "null") return Dropped{"no_video", "shows no video file"};
    const Json json = Json::parse(facts);
    const SourceVideo video{json.at("file"), json.at("first"), json.at("frames")};
    const std::int64_t needed = std::max(settings_.min_frames, 2 * kFramesOfHalf);
    if (video.frames < needed)
      return Dropped{"short", fmt::format("{} frames, at least {}", video.frames, needed)};
    const std::string path = media_path(row.folder, video.file).string();
    if (!seen_.insert(fmt::format("{}|{}|{}", path, video.first, video.frames)).second)
      return Dropped{"same_video", "an earlier row is about this video"};
    const std::uint64_t key =
        draw_key(fmt::format("{}|{}|{}", video.file, video.first, video.frames));
    std::vector<Record> rows;
    if (settings_.order) rows.push_back(frame_order_row(video, settings_, key));
    if (settings_.reversal) rows.push_back(reversal_row(video, settings_, key));
    if (settings_.matching) add_matching(row, video, key, rows);
    for (Record& record : rows) record.where = row.record.where;
    recent_.push_back({path, video.first, video.frames});
    if (recent_.size() > kVideosRemembered) recent_.pop_front();
    if (rows.empty()) return Dropped{"no_other_video", "nothing to match it with yet"};
    return rows;
  }

 private:
  // Other videos come by absolute path; the row's own file is relative to its folder.
  void add_matching(const Row& row, const SourceVideo& video, std::uint64_t key,
                    std::vector<Record>& rows) const {
    std::vector<SourceVideo> others;
    const std::string own = media_path(row.folder, video.file).string();
    for (const SourceVideo& other : recent_) {
      if (other.file != own) others.push_back(other);
    }
    const auto wanted = static_cast<std::size_t>(settings_.candidates - 1);
    if (others.size() < wanted) return;
    Random random({settings_.seed, kMatching, key, 0x07});
    random.shuffle(others);
    others.resize(wanted);
    for (SourceVideo& other : others) {
      if (!std::filesystem::path(video.file).is_absolute())
        other.file =
            std::filesystem::absolute(other.file)
                .lexically_normal()
                .lexically_relative(std::filesystem::absolute(row.folder.empty() ? "." : row.folder)
                                        .lexically_normal())
                .generic_string();
    }
    rows.push_back(matching_row(video, others, settings_, key));
  }

  SelfSupervisedSettings settings_;
  std::set<std::string> seen_;
  std::deque<SourceVideo> recent_;
};

}  // namespace

std::string SelfSupervisedSettings::json() const {
  return Json{{"order", order},
              {"reversal", reversal},
              {"matching", matching},
              {"min_frames", min_frames},
              {"max_frames", max_frames},
              {"candidates", candidates},
              {"seed", seed}}
      .dump();
}

Record frame_order_row(const SourceVideo& video, const SelfSupervisedSettings& settings,
                       std::uint64_t seed) {
  Random random({settings.seed, kOrder, seed});
  const std::int64_t count = draw_count(video, settings, random);
  const std::vector<std::int64_t> frames = frames_of(video, count);
  std::vector<std::int64_t> places(static_cast<std::size_t>(count));  // of each shown frame, from 1
  std::iota(places.begin(), places.end(), 1);
  random.shuffle(places);
  std::vector<std::int64_t> shown;
  for (const std::int64_t place : places)
    shown.push_back(frames[static_cast<std::size_t>(place - 1)]);
  const auto told = static_cast<std::size_t>(3 * count / 8);
  Record record = begin_row("video/frame_order");
  show(record, video.file, std::move(shown));
  record.turns[0].parts.push_back(words(fmt::format(
      "These {} frames of a video were shuffled. In the video, the first {} of them stand at these "
      "places, one a line:\n{}\nGive the places of the other {}, one a line.",
      count, told, lines_of(std::span(places).first(told)),
      count - static_cast<std::int64_t>(told))));
  answer(record, lines_of(std::span(places).subspan(told)));
  return record;
}

Record reversal_row(const SourceVideo& video, const SelfSupervisedSettings& settings,
                    std::uint64_t seed) {
  Random random({settings.seed, kReversal, seed});
  std::vector<std::int64_t> frames = frames_of(video, draw_count(video, settings, random));
  const bool backwards = random.chance(0.5);
  if (backwards) std::reverse(frames.begin(), frames.end());
  Record record = begin_row("video/reversal");
  show(record, video.file, std::move(frames));
  record.turns[0].parts.push_back(words("Is this video played backwards? Answer yes or no."));
  answer(record, backwards ? "Yes." : "No.");
  return record;
}

Record matching_row(const SourceVideo& video, const std::vector<SourceVideo>& others,
                    const SelfSupervisedSettings& settings, std::uint64_t seed) {
  Random random({settings.seed, kMatching, seed});
  const auto place =
      static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(others.size())));
  std::vector<SourceVideo> clips;
  for (const SourceVideo& other : others) clips.push_back(half(other, random.chance(0.5)));
  clips.insert(clips.begin() + static_cast<std::ptrdiff_t>(place), half(video, true));
  Record record = begin_row("video/matching");
  record.turns[0].parts.push_back(words("The first clip:\n"));
  show(record, video.file, frames_of(half(video, false), kFramesOfHalf));
  for (std::size_t i = 0; i < clips.size(); ++i) {
    record.turns[0].parts.push_back(words(fmt::format("\nClip {}:\n", i + 1)));
    show(record, clips[i].file, frames_of(clips[i], kFramesOfHalf));
  }
  record.turns[0].parts.push_back(
      words(fmt::format("\nWhich of the clips 1 to {} is of the same video as the first clip? "
                        "Answer with its number.",
                        clips.size())));
  answer(record, fmt::format("{}", place + 1));
  return record;
}

RowStage make_self_supervised_stage(const SelfSupervisedSettings& settings) {
  RowStage stage;
  stage.examine = examine_row;
  auto tasks = std::make_shared<Tasks>(settings);
  stage.decide = [tasks](Row& row, const std::string& facts) { return tasks->decide(row, facts); };
  return stage;
}

}  // namespace tarsier
