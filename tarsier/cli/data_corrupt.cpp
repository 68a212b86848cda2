#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <set>

#include "tarsier/base/error.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/data_job.h"
#include "tarsier/data/corrupt/corrupt.h"

namespace tarsier {
namespace {

struct Flags {
  JobFlags job;
  std::vector<std::string> kinds = {"exchange", "reverse", "crop", "discard"};
  std::string crop_keep = "0.5";
  CorruptionSettings settings;
};

std::vector<Corruption> kinds_named(const std::vector<std::string>& names) {
  std::set<Corruption> kinds;  // in one order, however they were named
  for (const std::string& name : names) {
    const auto kind = corruption_named(name);
    if (!kind)
      throw ConfigError({"--kinds", fmt::format("'{}' is not a corruption", name),
                         "use exchange, reverse, crop or discard"});
    kinds.insert(*kind);
  }
  return {kinds.begin(), kinds.end()};
}

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(
      app, "data corrupt",
      "Say for the video of each row which frames a model sees when it is corrupted, so that it "
      "describes it worse: Tarsier2's negative samples. Rows stay as they are, with the frames in "
      "two keys of their own; no video is copied.",
      {"tarsier data corrupt --in rows.jsonl --out corrupted",
       "tarsier data corrupt --in rows.jsonl --kinds reverse,crop --per-row 2 --out corrupted"});
  add_output_flags(app, flags.job.output);
  add_input_flags(app, flags.job);
  add_shape_flag(app, flags.job);
  add_job_flags(app, flags.job);
  CorruptionSettings& settings = flags.settings;
  app.add_option("--kinds", flags.kinds,
                 "Drawn from: some of exchange (two of four segments), reverse (half or more of it "
                 "backwards), crop (a part of the duration), discard (half of the frames)")
      ->delimiter(',')
      ->capture_default_str()
      ->type_name("LIST");
  app.add_option("--per-row", settings.per_row,
                 "Corruptions of a row's video; each kind once before any comes again")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{100}));
  app.add_option("--frames", settings.frames,
                 "Frames of a video, spread evenly, where its row does not say it")
      ->capture_default_str()
      ->check(CLI::Range(kFewestIntactFrames, std::int64_t{1000}));
  app.add_option("--crop-keep", flags.crop_keep,
                 "Share of the duration that crop keeps, from 0.25 on and below 1; Tarsier's "
                 "released code has 0.75")
      ->capture_default_str()
      ->type_name("SHARE");
  app.add_option("--seed", settings.seed, "Which kinds and frames")
      ->capture_default_str()
      ->type_name("N");
  if (!parse_arguments(app, arguments)) return false;
  settings.kinds = kinds_named(flags.kinds);
  settings.crop_keep = parse_decimal(flags.crop_keep, "--crop-keep");
  if (settings.crop_keep < Fraction(1, 4) || settings.crop_keep >= Fraction(1))
    throw ConfigError({"--crop-keep", fmt::format("is {}", flags.crop_keep),
                       "give a share from 0.25 on and below 1"});
  return true;
}

}  // namespace

int run_data_corrupt(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  return run_stage_command("corrupt", flags.job, flags.settings.json(),
                           make_corruption_stage(flags.settings), context.stop);
}

}  // namespace tarsier
