#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "tarsier/base/error.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/data_job.h"
#include "tarsier/data/selfsup/selfsup.h"

namespace tarsier {
namespace {

struct Flags {
  JobFlags job;
  std::vector<std::string> tasks = {"order", "reversal", "matching"};
  SelfSupervisedSettings settings;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(
      app, "data selfsup",
      "Make tasks of the videos that rows name, without their words: put shuffled frames in order, "
      "tell a video that runs backwards, find the clip of the same video. Rows come in Tarsier's "
      "shape, the one that holds lists of frames; no video is copied.",
      {"tarsier data selfsup --in rows.jsonl --out tasks",
       "tarsier data selfsup --in rows.jsonl --tasks order,reversal --max-frames 16 --out tasks"});
  add_output_flags(app, flags.job.output);
  add_input_flags(app, flags.job);
  add_job_flags(app, flags.job);
  SelfSupervisedSettings& settings = flags.settings;
  app.add_option("--tasks", flags.tasks, "Some of order, reversal, matching")
      ->delimiter(',')
      ->capture_default_str()
      ->type_name("LIST");
  app.add_option("--min-frames", settings.min_frames, "Fewest frames of an order or reversal row")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{2}, std::int64_t{1000}));
  app.add_option("--max-frames", settings.max_frames, "Most frames of an order or reversal row")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{2}, std::int64_t{1000}));
  app.add_option("--candidates", settings.candidates,
                 "Clips to choose from, the right one with them")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{2}, std::int64_t{32}));
  app.add_option("--seed", settings.seed, "Which frames, orders and clips")
      ->capture_default_str()
      ->type_name("N");
  if (!parse_arguments(app, arguments)) return false;
  settings.order = settings.reversal = settings.matching = false;
  for (const std::string& task : flags.tasks) {
    bool* wanted = task == "order"      ? &settings.order
                   : task == "reversal" ? &settings.reversal
                   : task == "matching" ? &settings.matching
                                        : nullptr;
    if (wanted == nullptr)
      throw ConfigError(
          {"--tasks", fmt::format("'{}' is not a task", task), "use order, reversal or matching"});
    *wanted = true;
  }
  require_ascending(static_cast<double>(settings.min_frames),
                    static_cast<double>(settings.max_frames), "--min-frames");
  flags.job.to = "tarsier";
  return true;
}

}  // namespace

int run_data_selfsup(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  return run_stage_command("selfsup", flags.job, flags.settings.json(),
                           make_self_supervised_stage(flags.settings), context.stop);
}

}  // namespace tarsier
