#include "tarsier/data/check/intervals.h"

#include <fmt/format.h>

#include <charconv>

namespace tarsier {
namespace {

constexpr std::string_view kOpening = "<frame:";

// "<frame: 3-5>" without its opening and closing.
std::optional<FrameSpan> parse_span(std::string_view inside) {
  while (!inside.empty() && inside.front() == ' ') inside.remove_prefix(1);
  FrameSpan span;
  const char* end = inside.data() + inside.size();
  auto result = std::from_chars(inside.data(), end, span.first);
  if (result.ec != std::errc()) return std::nullopt;
  span.last = span.first;
  if (result.ptr != end && *result.ptr == '-')
    result = std::from_chars(result.ptr + 1, end, span.last);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return span;
}

}  // namespace

MarkerReading read_markers(std::string_view answer, std::int64_t frames) {
  MarkerReading reading;
  for (std::size_t at = answer.find(kOpening); at != std::string_view::npos;
       at = answer.find(kOpening, at + 1)) {
    const std::size_t close = answer.find('>', at);
    const std::string_view marker =
        answer.substr(at, close == std::string_view::npos ? 24 : close + 1 - at);
    const auto wrong = [&](const std::string& what) {
      reading.problem = fmt::format("{} {}", marker, what);
      return reading;
    };
    if (close == std::string_view::npos) return wrong("is not closed");
    const auto span =
        parse_span(marker.substr(kOpening.size(), marker.size() - kOpening.size() - 1));
    if (!span) return wrong("is not <frame: i-j> or <frame: i>");
    if (span->last < span->first) return wrong("ends before it begins");
    if (span->first < 1 || span->last > frames)
      return wrong(fmt::format("is not within frames 1 to {}", frames));
    if (!reading.spans.empty()) {
      const FrameSpan& before = reading.spans.back();
      if (span->first <= before.first) return wrong("does not begin behind the one before");
      if (span->first <= before.last) return wrong("overlaps the one before");
      reading.has_gap = reading.has_gap || span->first > before.last + 1;
    }
    reading.spans.push_back(*span);
  }
  return reading;
}

}  // namespace tarsier
