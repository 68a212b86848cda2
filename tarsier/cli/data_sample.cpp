
#include <CLI/CLI.hpp>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/weights_hash.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/data_job.h"
#include "tarsier/cli/model_session.h"
#include "tarsier/rollout/sample_rows.h"

namespace tarsier {
namespace {

struct Flags {
  JobFlags job;
  ModelFlags model;
  SampleSettings settings;
  std::int64_t frames = 0;  // 0: as the model wants
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(
      app, "data sample",
      "Let a model answer each row's last question several times, about the video as it is and "
      "about its corruptions, and keep the answers in the row for data score and data pairs. A row "
      "is answered on one core; --workers rows at a time.",
      {"tarsier data sample --model runs/sft/model --in corrupted/rows.jsonl --out samples",
       "tarsier data sample --in rows.jsonl --intact 2 --corrupted 0 --temperature 1 --top-p 0.9 "
       "--out samples"});
  add_output_flags(app, flags.job.output);
  add_model_flags(app, flags.model);
  add_input_flags(app, flags.job);
  add_job_flags(app, flags.job);
  SampleSettings& settings = flags.settings;
  app.add_option("--intact", settings.intact, "Answers about each video as it is")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{100}));
  app.add_option("--corrupted", settings.corrupted, "Answers about each corruption of the row")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{100}));
  app.add_option("--temperature", settings.temperature, "Of drawing a token; 0: the likeliest")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 10.0));
  app.add_option("--top-p", settings.top_p, "Share of probability that tokens are drawn from")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--max-new-tokens", settings.max_new_tokens, "Of an answer; a longer one is cut")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 20));
  app.add_option("--frames", flags.frames,
                 "Frames of a video whose row does not say it; without it, as the model wants")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1000}))
      ->type_name("N");
  app.add_option("--seed", settings.seed, "Of all draws")->capture_default_str()->type_name("N");
  if (!parse_arguments(app, arguments)) return false;
  if (flags.frames > 0) settings.frames = flags.frames;
  if (settings.intact + settings.corrupted == 0)
    throw ConfigError({"--intact", "is 0 and so is --corrupted", "ask for at least one answer"});
  return true;
}

}  // namespace

int run_data_sample(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  const ModelSession session = open_session(flags.model);
  if (!session.adapter.empty())
    throw ConfigError({"--adapter", "is not part of the weights that samples are named by",
                       "merge it first: tarsier convert"});
  AnsweringModel model{session.model, weights_sha256(session.directory), session.backend_options,
                       1};
  model.backend.max_cache_bytes /= worker_count(flags.job);
  return run_stage_command("sample", flags.job, flags.settings.json_of(model),
                           make_sample_stage(model, flags.settings), context.stop);
}

}  // namespace tarsier
