#include "tarsier/cli/frame_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

constexpr std::string_view kOpen = "<frame:";
constexpr std::size_t kShown = 200;  // bytes of an answer in a message

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string quoted(std::string_view answer) {
  if (answer.size() <= kShown) return fmt::format("'{}'", answer);
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(answer[end]) & 0xC0) == 0x80)
    --end;  // not inside a character
  return fmt::format("'{}...'", answer.substr(0, end));
}

// "2", " 2-4 ": what stands between "<frame:" and ">".
std::optional<FrameEvent> parse_interval(std::string_view inside) {
  const auto number = [](std::string_view text) -> std::optional<std::int64_t> {
    text = trimmed(text);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() ||
        text.front() == '-')
      return std::nullopt;
    return value;
  };
  const std::size_t dash = inside.find('-');
  const auto first = number(inside.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : number(inside.substr(dash + 1));
  if (!first || !last) return std::nullopt;
  return FrameEvent{*first, *last, {}};
}

}  // namespace

GroundedText parse_frame_events(std::string_view answer, std::int64_t frames,
                                const std::string& model) {
  const auto refuse = [&](const std::string& what) {
    throw CheckpointError({model, fmt::format("{}; it said {}", what, quoted(trimmed(answer))),
                           "use a model trained to ground events in frames"});
  };
  GroundedText result;
  std::size_t at = answer.find(kOpen);
  if (at == std::string_view::npos) refuse("answered without a frame interval");
  result.opening = trimmed(answer.substr(0, at));
  while (at != std::string_view::npos) {
    const std::size_t close = answer.find('>', at);
    const std::size_t begin = at + kOpen.size();
    const auto event = close == std::string_view::npos
                           ? std::nullopt
                           : parse_interval(answer.substr(begin, close - begin));
    if (!event) refuse("answered with a frame interval that cannot be read");
    if (event->first < 1 || event->last < event->first || event->last > frames) {
      refuse(fmt::format("answered with frames {}-{} of {}", event->first, event->last, frames));
    }
    at = answer.find(kOpen, close);
    const std::size_t length = at == std::string_view::npos ? at : at - close - 1;
    result.events.push_back(
        {event->first, event->last, std::string(trimmed(answer.substr(close + 1, length)))});
  }
  return result;
}

SecondsInterval seconds_of(const FrameEvent& event, std::span<const double> frame_seconds,
                           double start_seconds, double end_seconds) {
  const auto count = static_cast<std::int64_t>(frame_seconds.size());
  check(1 <= event.first && event.first <= event.last && event.last <= count,
        "an event lies in its frames");
  const auto time = [&](std::int64_t frame) {
    return frame_seconds[static_cast<std::size_t>(frame - 1)];
  };
  const double start =
      event.first == 1 ? start_seconds : (time(event.first - 1) + time(event.first)) / 2;
  const double end =
      event.last == count ? end_seconds : (time(event.last) + time(event.last + 1)) / 2;
  return {std::max(start, start_seconds), std::min(end, std::max(end_seconds, start))};
}

double sampling_step(std::span<const double> frame_seconds, double start_seconds,
                     double end_seconds) {
  if (frame_seconds.size() < 2) return end_seconds - start_seconds;
  return (frame_seconds.back() - frame_seconds.front()) /
         static_cast<double>(frame_seconds.size() - 1);
}

std::string interval_text(const SecondsInterval& interval, double step_seconds) {
  const double exact = step_seconds > 0 ? std::ceil(-std::log10(step_seconds) - 1e-9) : 0;
  const int decimals = static_cast<int>(std::clamp(exact, 0.0, 3.0));
  return fmt::format("{:.{}f}-{:.{}f} s", interval.start, decimals, interval.end, decimals);
}

}  // namespace tarsier
