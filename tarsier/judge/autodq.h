#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tarsier/base/outcome.h"
#include "tarsier/judge/event_judge.h"

namespace tarsier {

/// Entailed events of all events: exact, for whoever compares or adds up. {0, 0}: there was no
/// event, which counts as 1 (evaluation.md 2.1).
struct HitCount {
  std::int64_t hits = 0, total = 0;

  double share() const {
    return total == 0 ? 1 : static_cast<double>(hits) / static_cast<double>(total);
  }
  bool operator==(const HitCount&) const = default;
};

struct LabelledEvent {
  std::string event;
  EventLabel label = EventLabel::neutral;
  bool operator==(const LabelledEvent&) const = default;
};

/// How one description holds up against another, event by event. Only entailment is a hit, on
/// either side.
struct AutoDqScore {
  std::vector<LabelledEvent> reference_events;  // labelled by the prediction
  std::vector<LabelledEvent> predicted_events;  // labelled by the reference
  HitCount recall, precision;                   // of the two lists above
  std::int64_t sentences = 0, unparsed = 0;     // of the prediction, as Extraction has them
};

/// AutoDQ of one pair of texts (arXiv 2501.07888, evaluation.md 2.1): recall over `events`, or
/// where they are not given over the reference's own, and precision over the prediction's. A note
/// when the judge failed at any of it: there is then no score, not even a part of one. Throws as
/// EventJudge. Any thread.
Outcome<AutoDqScore> autodq_score(EventJudge& judge, const std::string& reference,
                                  const std::string& prediction,
                                  const std::optional<std::vector<std::string>>& events = {},
                                  const std::stop_token& stop = {});

}  // namespace tarsier
