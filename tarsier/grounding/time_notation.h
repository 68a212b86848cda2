#pragma once

#include <string>
#include <vector>

#include "tarsier/grounding/said_answer.h"

namespace tarsier {

/// An event in seconds as the model counts them, nothing checked against a clip.
struct SaidEvent {
  double start = 0, end = 0;
  std::string text;
  bool operator==(const SaidEvent&) const = default;
};

struct SaidText {
  std::string opening;  // what comes before the first event
  std::vector<SaidEvent> events;
};

/// What was asked decides which of an answer's times count.
enum class GroundingTask {
  events,   // all events: a time belongs to the words around it
  segments  // when one thing happens: every span of the answer
};

/// Reads seconds and clocks; docs/grounding.md lists the forms. In time linear in the answer's
/// length. Without a time in it the result is empty. Refuses an event without words and answers of
/// absurdly many times.
SaidText parse_time_notation(const SaidAnswer& answer, GroundingTask task);

}  // namespace tarsier
