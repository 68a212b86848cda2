#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/machine.h"
#include "tarsier/cli/version.h"
#include "tarsier/train/distributed/launch.h"
#include "tarsier/train/trainer.h"

namespace tarsier {
namespace {

struct Flags {
  std::string recipe, out, resume = "auto";
  std::vector<std::string> overrides;
  double max_bad = -1;
  int threads = 0, rank_timeout = 600;
  OutputFlags output;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(
      app, "train sft",
      "Train a model as a recipe says: supervised fine-tuning, from fresh weights or a model "
      "directory. Interrupt it at any "
      "time; the same command goes on where it was.",
      {"tarsier train sft --recipe recipes/nano_v0.jsonc --out runs/nano",
       "tarsier train sft --recipe my.jsonc --out runs/mine --set stages.0.steps=100",
       "torchrun --nproc-per-node 4 --no-python tarsier train sft --recipe my.jsonc --out "
       "runs/mine"});
  add_output_flags(app, flags.output);
  app.add_option("--recipe", flags.recipe, "A recipe, JSON with comments")
      ->required()
      ->type_name("FILE");
  app.add_option("--out", flags.out, "Folder of the run: checkpoints/, logs, report.html, model/")
      ->required()
      ->type_name("DIR");
  app.add_option("--set", flags.overrides, "Override a setting of the recipe: stages.0.steps=100")
      ->type_name("KEY=VALUE");
  app.add_option("--resume", flags.resume,
                 "auto: go on from the newest whole checkpoint in --out; never: start afresh in an "
                 "empty folder")
      ->capture_default_str()
      ->type_name("WHEN");
  app.add_option("--max-bad", flags.max_bad,
                 "Share of unusable samples above which the run stops; without it, the recipe's")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE");
  app.add_option("--threads", flags.threads, "Threads of a step; 0: one for each core")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  app.add_option("--rank-timeout", flags.rank_timeout,
                 "Seconds after which a rank that does not answer ends the others; rank 0 writes a "
                 "checkpoint within it")
      ->capture_default_str()
      ->check(CLI::Range(1, 86400));
  if (!parse_arguments(app, arguments)) return false;
  if (flags.resume != "auto" && flags.resume != "never")
    throw ConfigError(
        {"--resume", fmt::format("'{}' is not a choice", flags.resume), "use auto or never"});
  if (flags.resume == "never" &&
      std::filesystem::exists(std::filesystem::path(flags.out) / "checkpoints")) {
    throw ConfigError({"--resume never", fmt::format("{} already holds a run", flags.out),
                       "use another --out, or remove the folder"});
  }
  return true;
}

Facts machine_facts() {
  const BuildInfo build = build_info();
  const Machine machine = read_machine();
  return {{"tarsier", fmt::format("{} ({})", build.version, build.commit)},
          {"compiler", build.compiler},
          {"libtorch", build.libtorch},
          {"system", machine.system},
          {"cpu", machine.cpu},
          {"cpu features", fmt::format("{}", fmt::join(machine.cpu_features, " "))},
          {"cores", std::to_string(machine.cores)},
          {"memory", fmt::format("{:.1f} GiB", static_cast<double>(machine.memory_bytes) /
                                                   static_cast<double>(std::int64_t{1} << 30))}};
}

}  // namespace

int run_train_sft(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  if (flags.threads > 0) at::set_num_threads(flags.threads);
  Recipe recipe = read_recipe(flags.recipe, flags.overrides);
  if (flags.max_bad >= 0) recipe.max_bad = flags.max_bad;
  const std::optional<Launch> launch =
      launch_from_environment([](const char* name) { return std::getenv(name); });
  const bool leads = !launch || launch->rank == 0;
  // The ranks do the same: one of them tells it.
  if (!leads && log_level() == LogLevel::info) set_log_level(LogLevel::warning);
  switch (train(recipe, {flags.out, flags.resume == "auto", context.stop, machine_facts(), launch,
                         std::chrono::seconds(flags.rank_timeout)})) {
    case TrainOutcome::finished:
      if (leads) print_answer((std::filesystem::path(flags.out) / "model").string() + "\n");
      return kExitOk;
    case TrainOutcome::stopped:
      log_info("stopped; the same command goes on from here");
      return kExitOk;  // the signal's exit code is the program's
    case TrainOutcome::diverged:
      log_warning(
          "stopped: ten steps in a row had a loss or gradient that is not finite; lower peak_rate, "
          "or look at the samples named above");
      return kExitTrainingStopped;
  }
  throw_broken_promise("TrainOutcome has three values");
}

}  // namespace tarsier
