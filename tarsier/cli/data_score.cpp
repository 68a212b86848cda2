#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "tarsier/base/error.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/data_job.h"
#include "tarsier/cli/judge_flags.h"
#include "tarsier/cli/score_judges.h"
#include "tarsier/rollout/score_rows.h"

namespace tarsier {
namespace {

struct Flags {
  JobFlags job;
  JudgeFlags judge;
  std::string metric = "autodq";
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(
      app, "data score",
      "Score the answers of data sample against each row's truth, by AutoDQ (recall and precision) "
      "or by errors per event, for data pairs. A row whose judge gave no usable answer fails; it "
      "is never scored 0.",
      {"tarsier data score --in samples/rows.jsonl --judge exact --out scored",
       "tarsier data score --in samples/rows.jsonl --judge http://localhost:8000/v1 --judge-model "
       "Qwen3-4B --cache answers --metric error --out scored"});
  add_output_flags(app, flags.job.output);
  add_input_flags(app, flags.job);
  add_job_flags(app, flags.job);
  app.add_option("--metric", flags.metric, "autodq, error or both")
      ->capture_default_str()
      ->check(CLI::IsMember({"autodq", "error", "both"}))
      ->type_name("NAME");
  add_judge_choice(app, flags.judge);
  if (!parse_arguments(app, arguments)) return false;
  check_judge_flags(flags.judge);
  return true;
}

}  // namespace

int run_data_score(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  const ScoreJudges judges =
      open_score_judges(flags.judge, flags.metric != "error", flags.metric != "autodq");
  return run_stage_command("score", flags.job, judges.json(),
                           make_score_stage(judges, context.stop), context.stop);
}

}  // namespace tarsier
