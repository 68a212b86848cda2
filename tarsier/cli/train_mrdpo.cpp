#include <CLI/CLI.hpp>

#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/machine.h"
#include "tarsier/cli/machine_facts.h"
#include "tarsier/cli/score_judges.h"
#include "tarsier/cli/training.h"
#include "tarsier/rollout/rounds.h"
#include "tarsier/tensor/device.h"

namespace tarsier {
namespace {

struct Flags {
  std::string recipe, out, device = "cpu", metric = "both";
  std::vector<std::string> overrides;
  int workers = 0;
  JudgeFlags judge;
  OutputFlags output;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(
      app, "train mrdpo",
      "Train a model in rounds on its own answers: it samples, a judge scores, pairs are chosen, "
      "it learns from them with an adapter that is merged, and begins again from there, as "
      "video-SALMONN 2. Each round is a folder with its lineage. Interrupt it at any time; the "
      "same command goes on where it was.",
      {"tarsier train mrdpo --recipe recipes/rounds/world.jsonc --judge exact --out runs/mrdpo",
       "tarsier train mrdpo --recipe my.jsonc --judge http://localhost:8000/v1 --judge-model "
       "Qwen3-4B --cache answers --out runs/mine"});
  add_output_flags(app, flags.output);
  app.add_option("--recipe", flags.recipe, "A recipe of rounds, JSON with comments")
      ->required()
      ->type_name("FILE");
  app.add_option("--out", flags.out, "Folder of the rounds: round_00 ..., model/")
      ->required()
      ->type_name("DIR");
  app.add_option("--set", flags.overrides, "Override a setting of the recipe: rounds=2")
      ->type_name("KEY=VALUE");
  app.add_option("--metric", flags.metric, "What the judge is asked for: autodq, error or both")
      ->capture_default_str()
      ->check(CLI::IsMember({"autodq", "error", "both"}))
      ->type_name("NAME");
  add_judge_choice(app, flags.judge);
  app.add_option("--workers", flags.workers, "Rows at a time; 0: one for each core")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024))
      ->type_name("N");
  app.add_option("--device", flags.device, "cpu, cuda or cuda:N")
      ->capture_default_str()
      ->type_name("DEVICE");
  if (!parse_arguments(app, arguments)) return false;
  check_judge_flags(flags.judge);
  return true;
}

}  // namespace

int run_train_mrdpo(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  const RoundsRecipe recipe = read_rounds_recipe(flags.recipe, flags.overrides);
  RoundsOptions options;
  options.out = flags.out;
  options.judges =
      open_score_judges(flags.judge, flags.metric != "error", flags.metric != "autodq");
  options.workers = flags.workers > 0 ? flags.workers : static_cast<int>(read_machine().cores);
  options.machine = machine_facts();
  options.device = parse_device(flags.device);
  options.stop = context.stop;
  return end_training(run_rounds(recipe, options), flags.out);
}

}  // namespace tarsier
