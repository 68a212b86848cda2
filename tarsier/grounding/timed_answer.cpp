#include "tarsier/grounding/timed_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/grounding/json_events.h"

namespace tarsier {
namespace {

constexpr double kExact = 1e-6;  // seconds: of rounding, not of meaning
constexpr std::size_t kLongestDenial = 200;

TimedEvent event_of(const FrameEvent& said, const ClipClock& clock) {
  return {seconds_of(said, clock), said.text, FrameEvent{said.first, said.last, {}}, false};
}

TimedEvent event_of(const SaidAnswer& answer, const SaidEvent& said, const ClipClock& clock) {
  const double length = clock.end - clock.start, step = sampling_step(clock);
  if (!(said.start <= said.end))
    answer.refuse(
        fmt::format("answered with {:g}-{:g} s, which runs backwards", said.start, said.end));
  const bool inside = said.start >= -step && said.end <= length + step + kExact;
  if (!inside) {
    answer.refuse(fmt::format("answered with {:g}-{:g} s of {:g} s", said.start, said.end,
                              std::round(length * 1000) / 1000));
  }
  const auto placed = [&](double seconds) {
    return std::clamp(container_seconds(std::clamp(seconds, 0.0, length), clock), clock.start,
                      clock.end);
  };
  const bool snapped = said.start < -kExact || said.end > length + kExact;
  return {{placed(said.start), placed(said.end)}, said.text, std::nullopt, snapped};
}

TimedAnswer read_frames(const SaidAnswer& answer, const ClipClock& clock, bool words_wanted) {
  const FrameText text = parse_frame_events(answer, std::ssize(clock.frames));
  TimedAnswer result{TimeNotation::frames, text.opening, {}};
  for (const FrameEvent& event : text.events) {
    if (words_wanted && event.text.empty())
      answer.refuse("answered with a frame interval that no event follows");
    result.events.push_back(event_of(event, clock));
  }
  return result;
}

}  // namespace

std::string_view name_of(TimeNotation notation) {
  switch (notation) {
    case TimeNotation::frames:
      return "frames";
    case TimeNotation::seconds:
      return "seconds";
    case TimeNotation::json:
      return "json";
  }
  throw_broken_promise("a notation has a name");
}

bool denies(std::string_view answer) {
  constexpr std::array<std::string_view, 4> kWords = {"no", "none", "never", "not found"};
  constexpr std::array<std::string_view, 8> kPhrases = {
      "does not happen", "doesn't happen", "never happens",   "did not happen",
      "does not occur",  "doesn't occur",  "does not appear", "is not shown"};
  const std::string_view words = trimmed(answer);
  if (words.size() > kLongestDenial) return false;
  std::string text(words);
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  for (const std::string_view word : kWords) {
    if (text.starts_with(word) &&
        (text.size() == word.size() ||
         std::string_view(".,;!").find(text[word.size()]) != std::string_view::npos))
      return true;
  }
  return std::any_of(kPhrases.begin(), kPhrases.end(), [&](std::string_view phrase) {
    return text.find(phrase) != std::string::npos;
  });
}

TimedAnswer read_timed_answer(const SaidAnswer& answer, const ClipClock& clock,
                              const std::string& query) {
  const bool asked = !query.empty();
  TimedAnswer result;
  if (has_frame_marker(answer.text)) {
    result = read_frames(answer, clock, !asked);
  } else {
    const GroundingTask task = asked ? GroundingTask::segments : GroundingTask::events;
    auto said = parse_json_events(answer, task);
    result.notation = said ? TimeNotation::json : TimeNotation::seconds;
    if (!said) {
      said = parse_time_notation(answer, task);
      if (said->events.empty()) {
        if (!asked || !denies(answer.text))
          answer.refuse("answered without an interval of frames or seconds");
        result.notation = std::nullopt;
      }
    }
    result.opening = said->opening;
    for (const SaidEvent& event : said->events)
      result.events.push_back(event_of(answer, event, clock));
  }
  if (asked)
    for (TimedEvent& event : result.events) event.text = query;
  return result;
}

}  // namespace tarsier
