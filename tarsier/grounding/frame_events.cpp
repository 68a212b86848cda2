#include "tarsier/grounding/frame_events.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace tarsier {
namespace {

constexpr std::string_view kOpen = "<frame:";

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

bool has_frame_marker(std::string_view answer) {
  return answer.find(kOpen) != std::string_view::npos;
}

FrameText parse_frame_events(const SaidAnswer& said, std::int64_t frames) {
  const std::string_view answer = said.text;
  FrameText result;
  std::size_t at = answer.find(kOpen);
  if (at == std::string_view::npos) said.refuse("answered without a frame interval");
  result.opening = trimmed(answer.substr(0, at));
  while (at != std::string_view::npos) {
    const std::size_t close = answer.find('>', at);
    const std::size_t begin = at + kOpen.size();
    const auto event = close == std::string_view::npos
                           ? std::nullopt
                           : parse_interval(answer.substr(begin, close - begin));
    if (!event) said.refuse("answered with a frame interval that cannot be read");
    if (event->first < 1 || event->last < event->first || event->last > frames) {
      said.refuse(
          fmt::format("answered with frames {}-{} of {}", event->first, event->last, frames));
    }
    at = answer.find(kOpen, close);
    const std::size_t length = at == std::string_view::npos ? at : at - close - 1;
    result.events.push_back(
        {event->first, event->last, std::string(trimmed(answer.substr(close + 1, length)))});
  }
  return result;
}

}  // namespace tarsier
