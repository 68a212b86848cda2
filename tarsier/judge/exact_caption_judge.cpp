#include "tarsier/judge/exact_caption_judge.h"

#include "tarsier/judge/autodq.h"

namespace tarsier {
namespace {

std::vector<std::string> not_entailed(const std::vector<LabelledEvent>& events) {
  std::vector<std::string> rest;
  for (const LabelledEvent& event : events) {
    if (event.label != EventLabel::entailment) rest.push_back(event.event);
  }
  return rest;
}

}  // namespace

Outcome<CaptionErrors> ExactCaptionJudge::judge(const std::vector<std::string>& events,
                                                const std::string& caption, const CaptionQuestion&,
                                                std::stop_token stop) {
  Outcome<AutoDqScore> scored = autodq_score(exact_, exact_.text_of(events), caption, events, stop);
  if (auto* note = std::get_if<ErrorNote>(&scored)) return std::move(*note);
  const auto& score = std::get<AutoDqScore>(scored);
  CaptionErrors errors;
  errors.events = static_cast<std::int64_t>(events.size());
  errors.missed_events = not_entailed(score.reference_events);
  errors.hallucinated_events = not_entailed(score.predicted_events);
  errors.missed = static_cast<std::int64_t>(errors.missed_events.size());
  errors.hallucinated = static_cast<std::int64_t>(errors.hallucinated_events.size());
  return errors;
}

}  // namespace tarsier
