#include <CLI/CLI.hpp>

#include "tarsier/base/error.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/data_job.h"
#include "tarsier/data/filter/filter.h"
#include "tarsier/data/filter/picture_hash.h"
#include "tarsier/data/filter/text_rules.h"

namespace tarsier {
namespace {

struct Flags {
  JobFlags job;
  FilterSettings rules;
  bool commentary = false;
};

template <class Number>
void add_rule(CLI::App& app, const std::string& flag, Number& value, const std::string& help) {
  app.add_option(flag, value, help)->check(CLI::NonNegativeNumber)->type_name("N");
}

void add_rules(CLI::App& app, Flags& flags) {
  FilterSettings& rules = flags.rules;
  add_rule(app, "--min-characters", rules.min_characters, "Of a row's answers");
  add_rule(app, "--max-characters", rules.max_characters, "Of a row's answers");
  add_rule(app, "--min-words", rules.min_words, "Of a row's answers");
  add_rule(app, "--max-words", rules.max_words, "Of a row's answers");
  app.add_option("--script", rules.script,
                 "Writing of the answers: latin, han, kana, hangul, cyrillic, arabic or devanagari")
      ->type_name("NAME");
  app.add_option("--min-script", rules.min_script, "Share of the letters that must be of --script")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE");
  add_rule(app, "--min-seconds", rules.min_seconds, "Of the video that the row means");
  add_rule(app, "--max-seconds", rules.max_seconds, "Of the video that the row means");
  add_rule(app, "--min-rate", rules.min_rate, "Characters of the answers for a second of video");
  add_rule(app, "--max-rate", rules.max_rate, "Characters of the answers for a second of video");
  add_rule(app, "--max-shots", rules.max_shots, "Shots of the video");
  add_rule(app, "--min-motion", rules.min_motion,
           "Mean change between frames, in levels of 255: still pictures are below 0.5");
  app.add_flag("--duplicate-text", rules.duplicate_text, "Drop rows with the words of a kept one");
  app.add_option("--video-distance", rules.video_distance,
                 "Drop videos that look like a kept one: bits of 63 that may differ")
      ->check(CLI::Range(0, HashIndex::kMaxDistance))
      ->type_name("BITS");
  app.add_flag("--commentary", flags.commentary,
               "The rules for commentary pairs, where no other is given: 2 to 30 seconds, 10 to "
               "2000 characters, 0.5 to 40 of them a second, at most 10 shots, motion of 0.5, no "
               "duplicates");
  app.add_option("--look-fps", rules.look.frames_per_second, "Frames a second to look at")
      ->capture_default_str()
      ->check(CLI::Range(0.01, 1000.0))
      ->type_name("N");
  app.add_option("--look-frames", rules.look.max_frames, "Most frames of a video to look at")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{2}, std::int64_t{100'000}))
      ->type_name("N");
  app.add_option("--cut", rules.look.cut, "Share of the pixels that change colour at a cut")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE");
}

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(app, "data filter",
                   "Keep the rows of training data that break no rule. What is dropped stands in "
                   "dropped.jsonl, with its reason.",
                   {"tarsier data filter --in rows.jsonl --min-words 5 --duplicate-text --out kept",
                    "tarsier data filter --in pairs.jsonl --commentary --max-shots 4 --out kept"});
  add_output_flags(app, flags.job.output);
  add_input_flags(app, flags.job);
  add_shape_flag(app, flags.job);
  add_job_flags(app, flags.job);
  add_rules(app, flags);
  if (!parse_arguments(app, arguments)) return false;
  FilterSettings& rules = flags.rules;
  if (flags.commentary) add_commentary_rules(rules);
  if (!rules.has_rule())
    throw ConfigError(
        {"data filter", "no rule is given", "name one, as --min-words 5 or --commentary"});
  if (!rules.script.empty()) script_share("", rules.script, "--script");
  const auto ascending = [](auto low, auto high, const char* flag) {
    require_ascending(static_cast<double>(low), static_cast<double>(high), flag);
  };
  ascending(rules.min_characters, rules.max_characters, "--min-characters");
  ascending(rules.min_words, rules.max_words, "--min-words");
  ascending(rules.min_seconds, rules.max_seconds, "--min-seconds");
  ascending(rules.min_rate, rules.max_rate, "--min-rate");
  return true;
}

}  // namespace

int run_data_filter(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  return run_stage_command("filter", flags.job, flags.rules.json(), make_filter_stage(flags.rules),
                           context.stop);
}

}  // namespace tarsier
