#include "tarsier/data/filter/filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <unordered_map>

#include "tarsier/checkpoint/sha256.h"
#include "tarsier/data/filter/picture_hash.h"
#include "tarsier/data/filter/text_rules.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using Rule = std::optional<Dropped>(const Record&, const FilterSettings&);
using MediaRule = std::optional<Dropped>(const Record&, const MediaFacts&, const FilterSettings&);

template <class Number>
std::optional<Dropped> outside(Number value, Number low, Number high, const std::string& name,
                               const std::string& unit) {
  if (low >= 0 && value < low)
    return Dropped{name + "_low", fmt::format("{} {}, at least {}", value, unit, low)};
  if (high >= 0 && value > high)
    return Dropped{name + "_high", fmt::format("{} {}, at most {}", value, unit, high)};
  return std::nullopt;
}

std::optional<Dropped> check_characters(const Record& record, const FilterSettings& settings) {
  return outside(count_characters(answer_text(record)), settings.min_characters,
                 settings.max_characters, "characters", "characters");
}

std::optional<Dropped> check_words(const Record& record, const FilterSettings& settings) {
  return outside(count_words(answer_text(record)), settings.min_words, settings.max_words, "words",
                 "words");
}

std::optional<Dropped> check_script(const Record& record, const FilterSettings& settings) {
  if (settings.script.empty()) return std::nullopt;
  const double share = script_share(answer_text(record), settings.script, "--script");
  if (share >= settings.min_script) return std::nullopt;
  return Dropped{"script", fmt::format("{:.2f} of the letters are {}, at least {:.2f}", share,
                                       settings.script, settings.min_script)};
}

std::optional<Dropped> check_seconds(const Record&, const MediaFacts& facts,
                                     const FilterSettings& settings) {
  return outside(facts.seconds, settings.min_seconds, settings.max_seconds, "seconds", "seconds");
}

std::optional<Dropped> check_rate(const Record& record, const MediaFacts& facts,
                                  const FilterSettings& settings) {
  if (facts.seconds <= 0) return std::nullopt;
  const double rate = static_cast<double>(count_characters(answer_text(record))) / facts.seconds;
  return outside(rate, settings.min_rate, settings.max_rate, "rate", "characters a second");
}

std::optional<Dropped> check_shots(const Record&, const MediaFacts& facts,
                                   const FilterSettings& settings) {
  if (settings.max_shots < 0 || facts.cuts + 1 <= settings.max_shots) return std::nullopt;
  return Dropped{"shots", fmt::format("{} shots, at most {}", facts.cuts + 1, settings.max_shots)};
}

std::optional<Dropped> check_motion(const Record&, const MediaFacts& facts,
                                    const FilterSettings& settings) {
  if (settings.min_motion < 0 || facts.seconds <= 0 || facts.motion >= settings.min_motion)
    return std::nullopt;
  return Dropped{"static", fmt::format("mean change of {:.3f} levels, at least {}", facts.motion,
                                       settings.min_motion)};
}

constexpr Rule* kTextRules[] = {check_characters, check_words, check_script};
constexpr MediaRule* kMediaRules[] = {check_seconds, check_rate, check_shots, check_motion};

std::optional<Dropped> broken_text_rule(const Record& record, const FilterSettings& settings) {
  for (Rule* rule : kTextRules) {
    if (auto why = rule(record, settings)) return why;
  }
  return std::nullopt;
}

const Media* first_video(const Record& record) {
  for (const Media& media : record.media) {
    if (media.kind != MediaKind::audio && !media.is_list) return &media;
  }
  return nullptr;
}

// Missing media fails even where no rule looks at it.
void require_media(const Row& row) {
  for (const Media& media : row.record.media) {
    for (const std::string& file : media.files) {
      if (is_local_file(file) && !fs::is_regular_file(media_path(row.folder, file)))
        throw InputError({row.record.where, fmt::format("no file {}", file),
                          "check the path, which is relative to the file of rows"});
    }
  }
}

/// Texts and videos of the rows kept so far.
class Seen {
 public:
  explicit Seen(const FilterSettings& settings)
      : settings_(settings), index_(std::max(0, settings.video_distance)) {}

  std::optional<Dropped> duplicate(const Row& row, const std::optional<MediaFacts>& facts) {
    std::string text;
    if (settings_.duplicate_text) {
      for (const Turn& turn : row.record.turns) text += normalised_text(text_of(turn)) + "\n";
      if (row.record.preference)
        text += normalised_text(row.record.preference->chosen) + "\n" +
                normalised_text(row.record.preference->rejected);
      text = sha256_hex(std::as_bytes(std::span(text)));
      if (const auto found = texts_.find(text); found != texts_.end())
        return Dropped{"duplicate_text", "the words of " + found->second};
    }
    const bool compares = settings_.video_distance >= 0 && facts && !facts->hashes.empty();
    std::string video;
    if (compares) {
      const Media& media = *first_video(row.record);
      video = fmt::format("{}|{}|{}", media_path(row.folder, media.files.front()).string(),
                          media.start.value_or(-1), media.end.value_or(-1));
      if (!videos_.contains(video)) {
        if (auto near = near_video(*facts)) return near;
      }
    }
    if (settings_.duplicate_text) texts_.emplace(std::move(text), row.record.where);
    if (compares && videos_.emplace(video, rows_.size()).second) {
      index_.add(middle(*facts), static_cast<std::int64_t>(rows_.size()));
      rows_.push_back({facts->hashes, row.record.where});
    }
    return std::nullopt;
  }

 private:
  struct Kept {
    std::vector<std::uint64_t> hashes;
    std::string where;
  };

  static std::uint64_t middle(const MediaFacts& facts) {
    return facts.hashes[facts.hashes.size() / 2];
  }

  // Near in its middle frame, and on average over all its frames.
  std::optional<Dropped> near_video(const MediaFacts& facts) const {
    for (const std::int64_t item : index_.near(middle(facts))) {
      const Kept& kept = rows_[static_cast<std::size_t>(item)];
      if (kept.hashes.size() != facts.hashes.size()) continue;
      int differing = 0;
      for (std::size_t i = 0; i < kept.hashes.size(); ++i)
        differing += hash_distance(kept.hashes[i], facts.hashes[i]);
      if (differing <= settings_.video_distance * static_cast<int>(kept.hashes.size()))
        return Dropped{"duplicate_video", "the video of " + kept.where};
    }
    return std::nullopt;
  }

  FilterSettings settings_;
  HashIndex index_;
  std::vector<Kept> rows_;
  std::unordered_map<std::string, std::string> texts_;   // SHA-256 -> the row it stood in
  std::unordered_map<std::string, std::size_t> videos_;  // file and times -> rows_
};

}  // namespace

bool FilterSettings::needs_media() const {
  return min_seconds >= 0 || max_seconds >= 0 || min_rate >= 0 || max_rate >= 0 || max_shots >= 0 ||
         min_motion >= 0 || video_distance >= 0;
}

bool FilterSettings::has_rule() const {
  return needs_media() || min_characters >= 0 || max_characters >= 0 || min_words >= 0 ||
         max_words >= 0 || !script.empty() || duplicate_text;
}

std::string FilterSettings::json() const {
  return nlohmann::ordered_json{{"min_characters", min_characters},
                                {"max_characters", max_characters},
                                {"min_words", min_words},
                                {"max_words", max_words},
                                {"script", script},
                                {"min_script", min_script},
                                {"min_seconds", min_seconds},
                                {"max_seconds", max_seconds},
                                {"min_rate", min_rate},
                                {"max_rate", max_rate},
                                {"max_shots", max_shots},
                                {"min_motion", min_motion},
                                {"duplicate_text", duplicate_text},
                                {"video_distance", video_distance},
                                {"look_fps", look.frames_per_second},
                                {"look_frames", look.max_frames},
                                {"cut", look.cut}}
      .dump();
}

void add_commentary_rules(FilterSettings& settings) {
  const auto unless_set = [](auto& value, auto rule) {
    if (value < 0) value = rule;
  };
  unless_set(settings.min_seconds, 2.0);
  unless_set(settings.max_seconds, 30.0);
  unless_set(settings.min_characters, std::int64_t{10});
  unless_set(settings.max_characters, std::int64_t{2000});
  unless_set(settings.min_rate, 0.5);
  unless_set(settings.max_rate, 40.0);
  unless_set(settings.max_shots, std::int64_t{10});
  unless_set(settings.min_motion, 0.5);
  unless_set(settings.video_distance, 6);
  settings.duplicate_text = true;
}

std::optional<Dropped> broken_rule(const Record& record, const std::optional<MediaFacts>& facts,
                                   const FilterSettings& settings) {
  if (auto why = broken_text_rule(record, settings)) return why;
  if (!facts) return std::nullopt;
  for (MediaRule* rule : kMediaRules) {
    if (auto why = rule(record, *facts, settings)) return why;
  }
  return std::nullopt;
}

RowStage make_filter_stage(const FilterSettings& settings) {
  RowStage stage;
  stage.examine = [settings](const Row& row) -> std::string {
    require_media(row);
    const Media* video = first_video(row.record);
    if (!settings.needs_media() || video == nullptr || broken_text_rule(row.record, settings))
      return "";
    try {
      return facts_json(
          look_at(*video, media_path(row.folder, video->files.front()), settings.look));
    } catch (const InputError& error) {
      throw InputError({row.record.where, error.what(), "mend or remove the row"});
    }
  };
  auto seen = std::make_shared<Seen>(settings);
  stage.decide = [settings, seen](Row& row, const std::string& facts) -> Decision {
    std::optional<MediaFacts> media;
    if (!facts.empty() && facts != "null") media = parse_facts(facts);
    if (auto why = broken_rule(row.record, media, settings)) return *std::move(why);
    if (auto why = seen->duplicate(row, media)) return *std::move(why);
    return std::vector{row.record};
  };
  return stage;
}

}  // namespace tarsier
