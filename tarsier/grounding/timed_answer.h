#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tarsier/grounding/clip_clock.h"
#include "tarsier/grounding/time_notation.h"

namespace tarsier {

/// How an answer wrote its times.
enum class TimeNotation { frames, seconds, json };
std::string_view name_of(TimeNotation notation);

/// An event in seconds of the container.
struct TimedEvent {
  SecondsInterval when;
  std::string text;
  std::optional<FrameEvent> frames;  // of the notation that counts frames; without its text
  bool snapped = false;  // a border lay outside the part looked at and was brought to its end
};

struct TimedAnswer {
  std::optional<TimeNotation> notation;  // nullopt: words that deny
  std::string opening;
  std::vector<TimedEvent> events;  // in the answer's order; start <= end, inside the part looked at
};

/// Reads an answer in whichever notation it is written. With a `query` every span is a segment of
/// it, and "No." or an empty list is an answer without events. Refuses an answer without times, and
/// an interval that runs backwards or lies outside the part looked at: in frames by any, in seconds
/// by more than the sampling step, below which it is snapped.
TimedAnswer read_timed_answer(const SaidAnswer& answer, const ClipClock& clock,
                              const std::string& query);

/// True of words that say a thing does not happen, as answers to "when": "No.", "It does not
/// happen in the video."
bool denies(std::string_view answer);

}  // namespace tarsier
