#include "tarsier/rollout/score_rows.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "tarsier/base/error.h"
#include "tarsier/data/extra_value.h"
#include "tarsier/data/pairs/candidates.h"
#include "tarsier/judge/autodq.h"
#include "tarsier/judge/caption_sample.h"
#include "tarsier/judge/exact_caption_judge.h"
#include "tarsier/judge/exact_event_judge.h"

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

struct Truth {
  std::string text;
  std::optional<std::vector<std::string>> events;
};

Truth truth_of(const Record& record) {
  Truth truth;
  if (!record.turns.empty() && record.turns.back().role == Role::assistant) {
    truth.text = text_of(record.turns.back());
    for (const TurnPart& part : record.turns.back().parts) {
      if (part.reference && !part.reference->empty()) truth.text = *part.reference;
    }
  }
  if (truth.text.empty())
    throw InputError({record.where, "has no true answer to score against",
                      "give rows whose last turn holds it"});
  if (const auto info = extra_value(record, "extra_info"); info && info->is_object()) {
    if (const auto events = info->find("events"); events && events->is_array()) {
      const bool words = std::all_of(events->raw().begin(), events->raw().end(),
                                     [](const auto& event) { return event.is_string(); });
      if (words) truth.events = texts_of(*events);
    }
  }
  return truth;
}

EventShare share_of(const HitCount& count) {
  return count.total == 0 ? EventShare{1, 1} : EventShare{count.hits, count.total};
}

template <class T>
T value_of(Outcome<T> outcome, const Record& record) {
  if (auto* note = std::get_if<ErrorNote>(&outcome))
    throw InputError({record.where, "has no score: " + note->text(),
                      "run the same command again, or remove the row"});
  return std::get<T>(std::move(outcome));
}

class RowScorer {
 public:
  RowScorer(ScoreJudges judges, std::stop_token stop)
      : judges_(std::move(judges)), stop_(std::move(stop)) {}

  // The row's samples with their scores, as JSON.
  std::string score(const Row& row) const {
    RowCandidates candidates = parse_candidates(row.record);
    if (candidates.samples.empty())
      throw InputError({row.record.where, "has no samples", "run data sample first"});
    const Truth truth = truth_of(row.record);
    std::map<std::string, CandidateScore> scores;  // equal answers are judged once
    for (Candidate& candidate : candidates.samples) {
      const auto found = scores.find(candidate.text);
      candidate.score =
          found != scores.end()
              ? found->second
              : scores.emplace(candidate.text, score_of(candidate.text, truth, row.record))
                    .first->second;
    }
    Record holder;
    write_candidates(holder, candidates);
    return holder.extra.at("samples");
  }

 private:
  CandidateScore score_of(const std::string& text, const Truth& truth, const Record& record) const {
    CandidateScore score;
    std::optional<std::vector<std::string>> events = truth.events;
    if (judges_.events) {
      const AutoDqScore found =
          value_of(autodq_score(*judges_.events, truth.text, text, truth.events, stop_), record);
      score.recall = share_of(found.recall);
      score.precision = share_of(found.precision);
      name_judge(judges_.events->id(), judges_.events->prompt(), score);
      if (!events) {
        events.emplace();
        for (const LabelledEvent& event : found.reference_events) events->push_back(event.event);
      }
    }
    if (judges_.captions) {
      if (!events)
        throw InputError({record.where + ": extra_info.events", "is missing",
                          "list the truth's events, or score by AutoDQ too"});
      const CaptionErrors errors = value_of(
          caption_errors(*judges_.captions, *events, text, judges_.schedule, stop_), record);
      score.errors =
          EventErrors{errors.missed, errors.incorrect, errors.hallucinated, errors.events};
      name_judge(judges_.captions->id(), judges_.captions->prompt(), score);
    }
    return score;
  }

  static void name_judge(const std::string& id, const PromptVersion& prompt,
                         CandidateScore& score) {
    if (score.judge.empty()) score.judge = id;
    const std::string words = prompt.text();
    if (score.prompt_hash.find(words) == std::string::npos)
      score.prompt_hash += score.prompt_hash.empty() ? words : ", " + words;
  }

  ScoreJudges judges_;
  std::stop_token stop_;
};

}  // namespace

std::string ScoreJudges::json() const {
  Json json;
  if (events) json["autodq"] = {{"judge", events->id()}, {"prompt", events->prompt().text()}};
  if (captions) json["error"] = {{"judge", captions->id()}, {"prompt", captions->prompt().text()}};
  return json.dump();
}

ScoreJudges exact_judges(Language language, bool events, bool captions) {
  ScoreJudges judges;
  if (events) judges.events = std::make_shared<ExactEventJudge>(language);
  if (captions) judges.captions = std::make_shared<ExactCaptionJudge>(language);
  return judges;
}

RowStage make_score_stage(const ScoreJudges& judges, std::stop_token stop) {
  check(judges.events || judges.captions, "rows are scored by a metric");
  const auto scorer = std::make_shared<const RowScorer>(judges, std::move(stop));
  RowStage stage;
  stage.examine = [scorer](const Row& row) { return scorer->score(row); };
  stage.decide = [](Row& row, const std::string& facts) -> Decision {
    row.record.extra["samples"] = facts;
    return std::vector<Record>{row.record};
  };
  return stage;
}

}  // namespace tarsier
