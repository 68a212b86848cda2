#include "tarsier/cli/training.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/machine_facts.h"
#include "tarsier/tensor/device.h"
#include "tarsier/train/distributed/launch.h"

namespace tarsier {
namespace {

struct Flags {
  std::string recipe, out, resume = "auto", device = "cpu";
  std::vector<std::string> overrides;
  double max_bad = -1;
  int threads = 0, rank_timeout = 600;
  OutputFlags output;
};

bool parse(Flags& flags, CLI::App& app, Arguments arguments) {
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
                 "empty folder; a folder: where --out holds none, from that run's newest")
      ->capture_default_str()
      ->type_name("WHEN");
  app.add_option("--max-bad", flags.max_bad,
                 "Share of unusable samples above which the run stops; without it, the recipe's")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE");
  app.add_option("--device", flags.device,
                 "cpu, cuda or cuda:N; of several ranks each takes the GPU of its place")
      ->capture_default_str()
      ->type_name("DEVICE");
  app.add_option("--threads", flags.threads,
                 "Threads of a step, or on a GPU of the data beside it; 0: one for each core")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  app.add_option("--rank-timeout", flags.rank_timeout,
                 "Seconds after which a rank that does not answer ends the others; rank 0 writes a "
                 "checkpoint within it")
      ->capture_default_str()
      ->check(CLI::Range(1, 86400));
  if (!parse_arguments(app, arguments)) return false;
  if (flags.resume != "auto" && flags.resume != "never" &&
      !std::filesystem::is_directory(std::filesystem::path(flags.resume) / "checkpoints")) {
    throw ConfigError({"--resume", fmt::format("'{}' is not a choice", flags.resume),
                       "use auto, never, or the --out of another run"});
  }
  if (flags.resume == "never" &&
      std::filesystem::exists(std::filesystem::path(flags.out) / "checkpoints")) {
    throw ConfigError({"--resume never", fmt::format("{} already holds a run", flags.out),
                       "use another --out, or remove the folder"});
  }
  return true;
}

TrainingKind kind_of(const Recipe& recipe) {
  for (const Stage& stage : recipe.stages) {
    if (stage.preference)
      return stage.preference->truth_nll > 0 ? TrainingKind::gdpo : TrainingKind::dpo;
  }
  return TrainingKind::answers;
}

void require_kind(const Recipe& recipe, TrainingKind kind, std::string_view command) {
  const TrainingKind found = kind_of(recipe);
  if (found == kind) return;
  const char* what = found == TrainingKind::answers ? "has no stage with \"preference\""
                     : found == TrainingKind::dpo
                         ? "trains on pairs, without \"truth_nll\""
                         : "trains on pairs beside true answers: \"truth_nll\" is above 0";
  const char* other = found == TrainingKind::answers ? "train sft"
                      : found == TrainingKind::dpo   ? "train dpo"
                                                     : "train gdpo";
  throw ConfigError({"--recipe", what, fmt::format("that is for {}, this is {}", other, command)});
}

}  // namespace

int end_training(TrainOutcome outcome, const std::filesystem::path& out, bool leads) {
  switch (outcome) {
    case TrainOutcome::finished:
      if (leads) print_answer((out / "model").string() + "\n");
      return kExitOk;
    case TrainOutcome::stopped:
      log_info("stopped; the same command goes on from here");
      return kExitTryAgain;
    case TrainOutcome::diverged:
      log_warning(
          "stopped: ten steps in a row had a loss or gradient that is not finite; lower peak_rate, "
          "or look at the samples named above");
      return kExitTrainingStopped;
  }
  throw_broken_promise("TrainOutcome has three values");
}

int run_training(const CommandContext& context, Arguments arguments, TrainingKind kind,
                 std::string_view name, std::string_view summary,
                 std::initializer_list<std::string_view> examples) {
  CLI::App app;
  describe_command(app, name, summary, examples);
  Flags flags;
  if (!parse(flags, app, arguments)) return kExitOk;
  if (flags.threads > 0) at::set_num_threads(flags.threads);
  Recipe recipe = read_recipe(flags.recipe, flags.overrides);
  require_kind(recipe, kind, name);
  if (flags.max_bad >= 0) recipe.max_bad = flags.max_bad;
  TrainOptions options{flags.out, flags.resume != "never", context.stop, machine_facts()};
  options.launch =
      launch_from_environment([](const char* variable) { return std::getenv(variable); });
  options.device = parse_device(flags.device);
  if (options.launch && options.device.is_cuda())
    options.device.set_index(static_cast<at::DeviceIndex>(options.launch->local_rank));
  options.rank_limit = std::chrono::seconds(flags.rank_timeout);
  const bool leads = !options.launch || options.launch->rank == 0;
  // The ranks do the same: one of them tells it.
  if (!leads && log_level() == LogLevel::info) set_log_level(LogLevel::warning);
  if (options.resume && flags.resume != "auto") options.resume_from = flags.resume;
  return end_training(train(recipe, options), flags.out, leads);
}

}  // namespace tarsier
