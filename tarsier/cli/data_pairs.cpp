#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "tarsier/base/error.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/data_job.h"
#include "tarsier/data/pairs/pair_histograms.h"
#include "tarsier/data/pairs/pairs.h"

namespace tarsier {
namespace {

struct Flags {
  JobFlags job;
  std::string rule = "autodq", source = "corrupted", delta = "0.3", min_gap = "0.05";
  bool no_filter = false;
  PairSettings settings;
};

PairRule rule_named(const std::string& name) {
  for (const PairRule rule : {PairRule::autodq, PairRule::error}) {
    if (name == name_of(rule)) return rule;
  }
  throw ConfigError({"--rule", fmt::format("'{}' is not a rule", name), "use autodq or error"});
}

PairSource source_named(const std::string& name) {
  for (const PairSource source : {PairSource::corrupted, PairSource::intact}) {
    if (name == name_of(source)) return source;
  }
  throw ConfigError({"--source", fmt::format("'{}' is not a source of rejected answers", name),
                     "use corrupted or intact"});
}

// A threshold that the other settings leave without effect is a mistake.
void require_effect(const CLI::App& app, const char* flag, bool has_effect) {
  if (app.count(flag) > 0 && !has_effect)
    throw ConfigError({flag, "has no effect with this --rule, or beside --no-filter",
                       "leave it out: --delta is of autodq, --min-gap of error"});
}

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(
      app, "data pairs",
      "Make preferences of answers that a model gave to the rows' own questions, and that were "
      "scored: the better one chosen, if it is better by enough. What the rows must hold is in "
      "docs/data-formats.md. A row without a pair stands in dropped.jsonl, with its reason.",
      {"tarsier data pairs --in scored.jsonl --out pairs",
       "tarsier data pairs --in scored.jsonl --rule error --source intact --min-gap 0.1 --to "
       "salmonn2plus --out pairs"});
  add_output_flags(app, flags.job.output);
  add_input_flags(app, flags.job);
  add_shape_flag(app, flags.job);
  add_job_flags(app, flags.job);
  app.add_option("--rule", flags.rule,
                 "autodq: neither recall nor precision falls, and together they gain --delta; "
                 "error: errors per event fall by --min-gap")
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--source", flags.source,
                 "Where rejected answers come from: corrupted videos, or the intact one as the "
                 "chosen ones")
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--delta", flags.delta, "Least gain of recall and precision together, exactly")
      ->capture_default_str()
      ->type_name("D");
  app.add_option("--min-gap", flags.min_gap, "Least difference of errors per event, exactly")
      ->capture_default_str()
      ->type_name("D");
  app.add_flag("--no-filter", flags.no_filter,
               "No threshold; with --source corrupted no scores either, and answers are paired in "
               "their order");
  app.add_option("--per-row", flags.settings.per_row, "Pairs of a row, at most")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1000}));
  if (!parse_arguments(app, arguments)) return false;
  PairSettings& settings = flags.settings;
  settings.rule = rule_named(flags.rule);
  settings.source = source_named(flags.source);
  settings.filter = !flags.no_filter;
  settings.delta = parse_decimal(flags.delta, "--delta");
  settings.min_gap = parse_decimal(flags.min_gap, "--min-gap");
  require_effect(app, "--delta", settings.filter && settings.rule == PairRule::autodq);
  require_effect(app, "--min-gap", settings.filter && settings.rule == PairRule::error);
  return true;
}

}  // namespace

int run_data_pairs(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  return run_stage_command("pairs", flags.job, flags.settings.json(),
                           make_pair_stage(flags.settings), context.stop, histogram_lines);
}

}  // namespace tarsier
