#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "tarsier/ablation/ablation.h"
#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/machine.h"
#include "tarsier/cli/version.h"
#include "tarsier/tensor/device.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

struct Flags {
  OutputFlags output;
  std::string name, plan, out, results, device = "cpu";
  std::vector<std::uint64_t> seeds{1, 2, 3};
  std::vector<std::string> rows;
  bool table_only = false;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(app, "eval ablation",
                   "Train the variants of a paper's ablation on the moving-shapes world, with "
                   "equal budgets, and "
                   "print the table: means and spreads over seeds, and whether each claim holds. "
                   "It takes hours; "
                   "stop it at any time, the same command goes on.",
                   {"tarsier eval ablation sft",
                    "tarsier eval ablation sft --seeds 1 --rows pretrained,sft_full",
                    "tarsier eval ablation dpo --table"});
  add_output_flags(app, flags.output);
  app.add_option("name", flags.name, "Which: sft, dpo or mrdpo, or a name of your own with --plan")
      ->required()
      ->type_name("NAME");
  app.add_option("--plan", flags.plan,
                 "Rows and claims; without it, recipes/ablation_NAME/plan.jsonc")
      ->type_name("FILE");
  app.add_option("--out", flags.out, "Folder of the runs; without it, runs/ablation_NAME")
      ->type_name("DIR");
  app.add_option("--results", flags.results,
                 "The table's file, to which runs are added; without it, "
                 "docs/results/ablation_NAME.json")
      ->type_name("FILE");
  app.add_option("--seeds", flags.seeds, "One run of each row for each")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000}));
  app.add_option("--rows", flags.rows, "Only these rows")->delimiter(',')->type_name("NAME,...");
  app.add_option("--device", flags.device, "Of training: cpu, cuda or cuda:N")
      ->capture_default_str()
      ->type_name("DEVICE");
  app.add_flag("--table", flags.table_only, "Print the table as it stands; train nothing");
  if (!parse_arguments(app, arguments)) return false;
  const bool is_published = flags.name == "sft" || flags.name == "dpo" || flags.name == "mrdpo";
  if (!is_published && flags.plan.empty())
    throw ConfigError({"eval ablation", fmt::format("there is no ablation '{}'", flags.name),
                       "use sft, dpo or mrdpo, or give a --plan"});
  const std::string folder = "ablation_" + flags.name;
  if (flags.plan.empty())
    flags.plan = (fs::path(TARSIER_RECIPES_DIR) / folder / "plan.jsonc").string();
  if (flags.out.empty()) flags.out = "runs/" + folder;
  if (flags.results.empty()) flags.results = "docs/results/" + folder + ".json";
  return true;
}

}  // namespace

int run_eval_ablation(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  const AblationPlan plan = read_ablation_plan(flags.plan);
  AblationResults results(flags.results, plan);
  if (!flags.table_only) {
    if (const fs::path folder = fs::path(flags.results).parent_path(); !folder.empty())
      fs::create_directories(folder);
    const Machine machine = read_machine();
    const AblationOrigin origin{"tarsier eval ablation " + flags.name, build_info().commit,
                                fmt::format("{}, {} cores", machine.cpu, machine.cores)};
    const AblationOptions options{.out = flags.out,
                                  .seeds = flags.seeds,
                                  .rows = flags.rows,
                                  .stop = context.stop,
                                  .machine = {{"cpu", machine.cpu}},
                                  .device = parse_device(flags.device)};
    switch (run_ablation(plan, options, origin, results)) {
      case TrainOutcome::finished:
        break;
      case TrainOutcome::stopped:
        log_info("stopped; the same command goes on from here");
        return kExitTryAgain;
      case TrainOutcome::diverged:
        log_warning("stopped: the loss of the row named above is not finite; lower its peak_rate");
        return kExitTrainingStopped;
    }
  }
  print_answer(flags.output.json ? results.json() : results.text());
  return kExitOk;
}

}  // namespace tarsier
