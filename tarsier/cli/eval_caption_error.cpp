#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <set>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/judge_flags.h"
#include "tarsier/cli/version.h"
#include "tarsier/data/rows/row_file.h"
#include "tarsier/judge/caption_input.h"
#include "tarsier/judge/caption_report.h"
#include "tarsier/judge/caption_sample.h"
#include "tarsier/judge/chat_caption_judge.h"
#include "tarsier/judge/exact_caption_judge.h"

namespace tarsier {
namespace {

struct Flags {
  JudgeFlags judge;
  std::vector<std::string> predictions;
  std::string events;
  std::optional<std::int64_t> trials;
};

bool parse(Flags& flags, Arguments arguments) {
  CLI::App app;
  describe_command(
      app, "eval caption-error",
      "Score captions of videos by video-SALMONN 2's metric: events missed, told wrong and made "
      "up, "
      "for each event there is, by a judge. Scores of different judges or prompts are not "
      "comparable.",
      {"tarsier eval caption-error --predictions captions.json --events video_salmonn2_test.json "
       "--judge http://localhost:8000/v1 --judge-model Qwen3-4B --cache answers",
       "tarsier eval caption-error --predictions world.jsonl --judge exact --json"});
  app.add_option("--predictions", flags.predictions,
                 "A JSON list, or JSONL, of {\"id\": [\"0.mp4\"], \"pred\": TEXT}; without "
                 "--events, rows in Tarsier's shape with the truth in extra_info.events")
      ->required()
      ->type_name("FILE");
  app.add_option("--events", flags.events,
                 "The videos' events: a JSON list, or JSONL, of {\"video\": \"0.mp4\", \"events\": "
                 "[TEXT, ...]}")
      ->type_name("FILE");
  app.add_option("--trials", flags.trials,
                 "Trials, an odd number; the one with the median error is reported. Without it, 7, "
                 "as published scores; of the exact judge 1, for all would be the same")
      ->type_name("N");
  add_judge_flags(app, flags.judge);
  if (!parse_arguments(app, arguments)) return false;
  check_judge_flags(flags.judge);
  return true;
}

// Calls `use` with each row of the files.
template <class Use>
void for_each_row(const std::vector<std::string>& files, const Use& use) {
  for (const std::string& file : files) {
    RowFile rows(file);
    while (const std::optional<RowText> row = rows.next())
      use(parse_json(row->text, row->where, JsonOwner::input));
  }
}

struct Input {
  std::vector<CaptionItem> items;
  std::int64_t duplicates = 0;
};

// Every video of the events, in their order, with its first prediction if there is one.
Input read_test_set(const Flags& flags) {
  Input input;
  std::map<std::string, std::size_t> places;
  for_each_row({flags.events}, [&](const JsonView& row) {
    VideoEvents video = parse_video_events(row);
    if (!places.emplace(video.video, input.items.size()).second)
      row.at("video").fail(fmt::format("'{}' is there twice", video.video), "keep one");
    input.items.push_back({std::move(video.video), std::move(video.events), std::nullopt});
  });
  for_each_row(flags.predictions, [&](const JsonView& row) {
    VideoPrediction prediction = parse_video_prediction(row);
    const auto place = places.find(prediction.video);
    if (place == places.end())
      row.at("id").fail(fmt::format("'{}' has no events", prediction.video),
                        "check that --events is of the same videos");
    std::optional<std::string>& caption = input.items[place->second].caption;
    if (caption) {
      ++input.duplicates;
    } else {
      caption = std::move(prediction.caption);
    }
  });
  return input;
}

Input read_samples(const Flags& flags) {
  Input input;
  std::set<std::string> keys;
  for_each_row(flags.predictions, [&](const JsonView& row) {
    CaptionSample sample = parse_caption_sample(row);
    if (!sample.events)
      row.fail("has no extra_info.events", "give the events by --events, or in each row");
    if (!keys.insert(sample.key()).second) {
      ++input.duplicates;
      return;
    }
    input.items.push_back({sample.key(), std::move(*sample.events), std::nullopt});
    if (sample.was_generated()) input.items.back().caption = std::move(sample.prediction);
  });
  return input;
}

}  // namespace

int run_eval_caption_error(const CommandContext& context, Arguments arguments) {
  Flags flags;
  if (!parse(flags, arguments)) return kExitOk;
  const Input input = flags.events.empty() ? read_samples(flags) : read_test_set(flags);
  const std::vector<CaptionItem>& items = input.items;
  if (items.empty()) throw InputError({"--predictions", "there is nothing to judge", ""});
  if (input.duplicates > 0)
    log_warning(fmt::format("{} predictions left out: an earlier one is of the same video",
                            input.duplicates));
  std::unique_ptr<CaptionJudge> judge;
  if (flags.judge.exact()) {
    judge = std::make_unique<ExactCaptionJudge>(judge_language(flags.judge));
  } else {
    judge = std::make_unique<ChatCaptionJudge>(open_judge(flags.judge));
  }
  CaptionSchedule schedule;
  schedule.trials = flags.trials.value_or(flags.judge.exact() ? 1 : schedule.trials);
  const CaptionResult result = score_captions(
      *judge, items, schedule, over_workers(flags.judge, context.stop), context.stop);
  if (context.stop.stop_requested()) return end_stopped(flags.judge);

  const ScoreOrigin origin{judge->id(), judge->prompt(), build_info().version, input.duplicates};
  EvaluationEnd end;
  end.scores = caption_scores_json(items, result, schedule, origin);
  end.text = caption_text(result, origin);
  for (std::size_t i = 0; i < items.size(); ++i)
    end.items.push_back(caption_item_json(items, result, i));
  end.failed = static_cast<std::int64_t>(items.size()) - result.reported().rates.scored;
  return end_evaluation(flags.judge, end);
}

}  // namespace tarsier
