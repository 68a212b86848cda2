#include "tarsier/judge/autodq.h"

#include <utility>

namespace tarsier {
namespace {

struct Side {
  std::vector<LabelledEvent> events;
  HitCount hits;
};

Outcome<Side> judge_side(EventJudge& judge, std::vector<std::string> events,
                         const std::string& premise, const std::string& instead,
                         std::stop_token stop) {
  Outcome<std::vector<EventLabel>> answer = judge.label(events, premise, instead, std::move(stop));
  if (auto* note = std::get_if<ErrorNote>(&answer)) return std::move(*note);
  const auto& labels = std::get<std::vector<EventLabel>>(answer);
  check(labels.size() == events.size(), "an event judge gives each event a label");
  Side side;
  for (std::size_t i = 0; i < events.size(); ++i) {
    side.events.push_back({std::move(events[i]), labels[i]});
    ++side.hits.total;
    side.hits.hits += labels[i] == EventLabel::entailment ? 1 : 0;
  }
  return side;
}

}  // namespace

Outcome<AutoDqScore> autodq_score(EventJudge& judge, const std::string& reference,
                                  const std::string& prediction,
                                  const std::optional<std::vector<std::string>>& events,
                                  const std::stop_token& stop) {
  std::vector<std::string> of_reference;
  if (events) {
    of_reference = *events;
  } else {
    Outcome<Extraction> extracted = judge.extract(reference, stop);
    if (auto* note = std::get_if<ErrorNote>(&extracted)) return std::move(*note);
    of_reference = std::get<Extraction>(std::move(extracted)).events;
  }
  Outcome<Extraction> predicted = judge.extract(prediction, stop);
  if (auto* note = std::get_if<ErrorNote>(&predicted)) return std::move(*note);
  auto& told = std::get<Extraction>(predicted);

  Outcome<Side> recall = judge_side(judge, std::move(of_reference), prediction, reference, stop);
  if (auto* note = std::get_if<ErrorNote>(&recall)) return std::move(*note);
  Outcome<Side> precision = judge_side(judge, std::move(told.events), reference, prediction, stop);
  if (auto* note = std::get_if<ErrorNote>(&precision)) return std::move(*note);

  AutoDqScore score;
  score.recall = std::get<Side>(recall).hits;
  score.precision = std::get<Side>(precision).hits;
  score.reference_events = std::get<Side>(std::move(recall)).events;
  score.predicted_events = std::get<Side>(std::move(precision)).events;
  score.sentences = told.sentences;
  score.unparsed = told.unparsed;
  return score;
}

}  // namespace tarsier
