#pragma once

#include <cstdint>
#include <string>

#include "tarsier/data/filter/media_facts.h"
#include "tarsier/data/stages/row_stage.h"

namespace tarsier {

/// The rules of a filter. A number below 0, an empty name or false: the rule is off.
struct FilterSettings {
  std::int64_t min_characters = -1, max_characters = -1;  // of a row's answers
  std::int64_t min_words = -1, max_words = -1;
  std::string script;  // text_rules.h: script_share
  double min_script = 0.5;
  double min_seconds = -1, max_seconds = -1;
  double min_rate = -1, max_rate = -1;  // characters of text for a second of video
  std::int64_t max_shots = -1;
  double min_motion = -1;  // MediaFacts::motion
  bool duplicate_text = false;
  int video_distance = -1;  // bits, of HashIndex
  LookSettings look;

  bool needs_media() const;
  bool has_rule() const;
  std::string json() const;  // all of it, for settings.json
};

/// What the paper's pipeline for commentary pairs does, where the numbers are published (2 to 30
/// seconds), and plain numbers of ours where not. Only rules that are off are set.
void add_commentary_rules(FilterSettings& settings);

/// The first rule a row breaks, or nothing. Pure. `facts` of the row's first video; none when no
/// rule asks for them or the row shows no video.
std::optional<Dropped> broken_rule(const Record& record, const std::optional<MediaFacts>& facts,
                                   const FilterSettings& settings);

/// The stage: text rules, then media, then duplicates of rows kept before. A row whose media is
/// missing or cannot be decoded fails. Rows about one file are never duplicates of each other's
/// video.
RowStage make_filter_stage(const FilterSettings& settings);

}  // namespace tarsier
