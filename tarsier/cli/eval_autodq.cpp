#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <set>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/judge_flags.h"
#include "tarsier/cli/version.h"
#include "tarsier/data/rows/row_file.h"
#include "tarsier/judge/chat_event_judge.h"
#include "tarsier/judge/exact_event_judge.h"

namespace tarsier {
namespace {

struct Flags {
  JudgeFlags judge;
  std::vector<std::string> predictions;
  std::string benchmark;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(
      app, "eval autodq",
      "Score descriptions of videos by AutoDQ (DREAM-1K): which events of the truth they tell, and "
      "which of theirs are true, by a judge. Scores of different judges or prompts are not "
      "comparable.",
      {"tarsier eval autodq --predictions dream.jsonl --judge http://localhost:8000/v1 "
       "--judge-model "
       "Qwen3-4B --cache answers --out results",
       "tarsier eval autodq --predictions world.jsonl --judge exact --json"});
  app.add_option("--predictions", flags.predictions,
                 "Rows in Tarsier's shape, with the description in `text` beside its `reference`; "
                 "several files count as one")
      ->required()
      ->type_name("FILE");
  app.add_option("--benchmark", flags.benchmark,
                 "Only rows whose `dataset` is this, up to its first slash: DREAM")
      ->type_name("NAME");
  add_judge_flags(app, flags.judge);
  if (!parse_arguments(app, arguments)) return false;
  check_judge_flags(flags.judge);
  return true;
}

struct Predictions {
  std::vector<AutoDqItem> items;
  std::int64_t duplicates = 0;
};

// The first row of a key counts, as upstream has it.
Predictions read_predictions(const Flags& flags) {
  Predictions predictions;
  std::set<std::string> keys;
  for (const std::string& file : flags.predictions) {
    RowFile rows(file);
    while (const std::optional<RowText> row = rows.next()) {
      CaptionSample sample =
          parse_caption_sample(parse_json(row->text, row->where, JsonOwner::input));
      if (!flags.benchmark.empty() &&
          sample.source.substr(0, sample.source.find('/')) != flags.benchmark)
        continue;
      if (!keys.insert(sample.key()).second) {
        ++predictions.duplicates;
        continue;
      }
      predictions.items.push_back({std::move(sample), ErrorNote{"judge", "was not asked", ""}});
    }
  }
  if (predictions.items.empty())
    throw InputError({"--predictions", "there is no row to judge",
                      flags.benchmark.empty() ? "check the file" : "check --benchmark"});
  if (predictions.duplicates > 0)
    log_warning(fmt::format("{} rows left out: an earlier one has the same dataset and idx",
                            predictions.duplicates));
  return predictions;
}

Outcome<AutoDqScore> score(EventJudge& judge, const CaptionSample& sample,
                           const std::stop_token& stop) {
  if (!sample.was_generated())
    return ErrorNote{sample.key(), "its generation failed: the text is <error>", ""};
  try {
    return autodq_score(judge, sample.reference, sample.prediction, sample.events, stop);
  } catch (const InputError& error) {
    return error.note;
  }
}

}  // namespace

int run_eval_autodq(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  Predictions predictions = read_predictions(flags);
  std::vector<AutoDqItem>& items = predictions.items;
  std::unique_ptr<EventJudge> judge;
  if (flags.judge.exact()) {
    judge = std::make_unique<ExactEventJudge>(judge_language(flags.judge));
  } else {
    judge = std::make_unique<ChatEventJudge>(open_judge(flags.judge));
  }
  const auto progress = progress_of(items.size(), "descriptions judged");
  over_workers(flags.judge, context.stop)(items.size(), [&](std::size_t i) {
    items[i].outcome = score(*judge, items[i].sample, context.stop);
    progress();
  });
  if (context.stop.stop_requested()) return end_stopped(flags.judge);

  const ScoreOrigin origin{judge->id(), judge->prompt(), build_info().version,
                           predictions.duplicates};
  EvaluationEnd end;
  end.scores = autodq_scores_json(items, origin);
  end.text = autodq_text(autodq_table(items), origin);
  for (const AutoDqItem& item : items) {
    end.items.push_back(autodq_item_json(item));
    end.failed += std::holds_alternative<ErrorNote>(item.outcome) ? 1 : 0;
  }
  return end_evaluation(flags.judge, end);
}

}  // namespace tarsier
