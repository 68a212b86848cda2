#include "tarsier/grounding/subtitles.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/text/utf8.h"

namespace tarsier {
namespace {

struct Cue {
  std::int64_t start = 0, end = 0;  // milliseconds
  std::string text;
};

// On one line, for an empty one ends a cue; other control characters are left out as spaces too.
std::string cue_text(const std::string& text) {
  std::string line, escaped;
  for (const char c : lossy_utf8(text)) {
    const bool blank = (static_cast<unsigned char>(c) <= ' ') || c == 0x7F;
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (line.ends_with(' ')) line.pop_back();
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '&') {
      escaped += "&amp;";
    } else if (line[i] == '<') {
      escaped += "&lt;";
    } else if (line[i] == '>' && i > 1 && line[i - 1] == '-' && line[i - 2] == '-') {
      escaped += "&gt;";
    } else {
      escaped += line[i];
    }
  }
  return escaped;
}

std::vector<Cue> cues_of(std::span<const TimedEvent> events, double step, double seconds,
                         const std::string& file) {
  const auto whole = static_cast<std::int64_t>(std::floor(seconds * 1000 + 1e-6));
  if (whole < 1)
    throw InputError({file, "has no length, so it can have no subtitles", "use --json"});
  const auto unit = static_cast<std::int64_t>(std::pow(10, 3 - decimals_of(step)));
  const auto rounded = [&](double value) {
    return std::llround(value * 1000 / static_cast<double>(unit)) * unit;
  };
  const std::int64_t least = std::min(std::max<std::int64_t>(rounded(step), unit), whole);
  std::vector<Cue> cues;
  for (const TimedEvent& event : events) {
    Cue cue{std::clamp<std::int64_t>(rounded(event.when.start), 0, whole),
            std::clamp<std::int64_t>(rounded(event.when.end), 0, whole), cue_text(event.text)};
    if (cue.end <= cue.start) {
      cue.end = std::min(cue.start + least, whole);
      if (cue.end == whole) cue.start = std::min(cue.start, whole - least);
    }
    cues.push_back(std::move(cue));
  }
  std::stable_sort(cues.begin(), cues.end(),
                   [](const Cue& a, const Cue& b) { return a.start < b.start; });
  return cues;
}

std::string stamp(std::int64_t milliseconds, char point) {
  return fmt::format("{:02}:{:02}:{:02}{}{:03}", milliseconds / 3'600'000,
                     milliseconds / 60'000 % 60, milliseconds / 1000 % 60, point,
                     milliseconds % 1000);
}

std::string lines_of(const Cue& cue, char point) {
  return fmt::format("{} --> {}\n{}\n", stamp(cue.start, point), stamp(cue.end, point), cue.text);
}

}  // namespace

std::string srt_of(std::span<const TimedEvent> events, double step_seconds, double seconds,
                   const std::string& file) {
  std::string text;
  std::size_t number = 0;
  for (const Cue& cue : cues_of(events, step_seconds, seconds, file)) {
    if (number > 0) text += '\n';
    text += fmt::format("{}\n{}", ++number, lines_of(cue, ','));
  }
  return text;
}

std::string vtt_of(std::span<const TimedEvent> events, double step_seconds, double seconds,
                   const std::string& file) {
  std::string text = "WEBVTT\n";
  for (const Cue& cue : cues_of(events, step_seconds, seconds, file))
    text += "\n" + lines_of(cue, '.');
  return text;
}

}  // namespace tarsier
