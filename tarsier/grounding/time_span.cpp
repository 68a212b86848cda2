#include "tarsier/grounding/time_span.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

namespace tarsier {
namespace {

constexpr std::array<std::string_view, 10> kJoints = {"-->",    "->", "-",      "\u2013", "\u2014",
                                                      "\u2212", "~",  "\uFF5E", "\u5230", "\u81F3"};
constexpr std::array<std::string_view, 3> kJoiningWords = {"to", "until", "and"};
constexpr std::size_t kFractionDigits = 9;
constexpr std::array<std::string_view, 5> kUnits = {"seconds", "secs", "sec", "s", "\u79D2"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
char at_or_zero(std::string_view text, std::size_t at) { return at < text.size() ? text[at] : 0; }

std::size_t past_spaces(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  return at;
}

std::size_t past_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

bool has_word(std::string_view text, std::size_t at, std::string_view word) {
  if (text.size() - at < word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i)
    if (lower(text[at + i]) != word[i]) return false;
  const char next = at_or_zero(text, at + word.size());
  return !is_letter(word.back()) || !(is_letter(next) || is_digit(next));
}

// Of any number of digits: what no double holds is infinite, and lies outside every clip.
double number_of(std::string_view digits) {
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() ? value : HUGE_VAL;
}

// ":05", ":05:12": two digits a part, below 60.
struct ClockPart {
  int value;
  std::size_t past;
};
std::optional<ClockPart> clock_part(std::string_view text, std::size_t at) {
  if (at_or_zero(text, at) != ':' || past_digits(text, at + 1) != at + 3) return std::nullopt;
  return ClockPart{(text[at + 1] - '0') * 10 + text[at + 2] - '0', at + 3};
}

// A point and digits, or as SRT writes it a comma and three.
std::size_t past_fraction(std::string_view text, std::size_t at, bool is_clock) {
  const std::size_t past = past_digits(text, at + 1);
  const bool comma = is_clock && at_or_zero(text, at) == ',' && past == at + 4;
  return (at_or_zero(text, at) == '.' && past > at + 1) || comma ? past : at;
}

// "-2 s" at the start or behind a space or a bracket, where no joint is.
bool is_negative(std::string_view text, std::size_t at) {
  if (at == 0 || text[at - 1] != '-') return false;
  return at == 1 || std::string_view(" \t\n[(<").find(text[at - 2]) != std::string_view::npos;
}

char closing_of(char opening) {
  return opening == '[' ? ']' : opening == '(' ? ')' : opening == '<' ? '>' : '\0';
}

}  // namespace

std::optional<WrittenTime> written_time(std::string_view text, std::size_t at) {
  const char before = at == 0 ? ' ' : text[at - 1];
  if (at >= text.size() || !is_digit(text[at]) || is_letter(before) || is_digit(before) ||
      before == '.' || before == ':' || before == '_')
    return std::nullopt;
  WrittenTime time;
  std::size_t past = past_digits(text, at);
  time.seconds = number_of(text.substr(at, past - at));
  for (int part = 0; part < 2; ++part) {
    const auto next = clock_part(text, past);
    if (!next) break;
    if (next->value >= 60) return std::nullopt;
    time.seconds = time.seconds * 60 + next->value;
    time.is_clock = true;
    past = next->past;
  }
  const std::size_t fraction = past_fraction(text, past, time.is_clock);
  if (fraction > past) {
    time.has_fraction = true;
    const std::size_t kept = std::min(fraction - past - 1, kFractionDigits);
    time.seconds += number_of("0." + std::string(text.substr(past + 1, kept)));
    past = fraction;
  }
  const char next = at_or_zero(text, past);
  if ((next == ':' || next == '.') && is_digit(at_or_zero(text, past + 1))) return std::nullopt;
  const std::size_t word = past_spaces(text, past);
  for (const std::string_view unit : kUnits) {
    if (!has_word(text, word, unit)) continue;
    time.has_unit = true;
    past = word + unit.size();
    break;
  }
  if (!time.has_unit && time.seconds == 1 && has_word(text, word, "second")) {
    time.has_unit = true;
    past = word + 6;
  }
  if (!time.has_unit && is_letter(next)) return std::nullopt;  // "4x", "5m"
  time.bytes = past - at;
  return time;
}

std::size_t joint_at(std::string_view text, std::size_t at) {
  const std::size_t begin = past_spaces(text, at);
  for (const std::string_view joint : kJoints) {
    if (text.substr(begin).starts_with(joint)) return past_spaces(text, begin + joint.size()) - at;
  }
  for (const std::string_view word : kJoiningWords) {
    if (begin > at && has_word(text, begin, word))
      return past_spaces(text, begin + word.size()) - at;
  }
  return 0;
}

std::optional<WrittenSpan> written_span(std::string_view text, std::size_t at) {
  const auto first = written_time(text, at);
  if (!first || is_negative(text, at)) return std::nullopt;
  WrittenSpan span;
  span.start = span.end = first->seconds;
  span.begin = at;
  span.past = at + first->bytes;
  bool has_unit = first->has_unit, has_fraction = first->has_fraction;
  bool is_clock = first->is_clock;

  std::size_t opening = at;
  while (opening > 0 && text[opening - 1] == ' ') --opening;
  const char close = opening > 0 ? closing_of(text[opening - 1]) : '\0';
  std::size_t joint = joint_at(text, span.past);
  bool listed = false;  // "[2.5, 4.0]"
  if (joint == 0 && close == ']' && at_or_zero(text, span.past) == ',') {
    joint = past_spaces(text, span.past + 1) - span.past;
    listed = true;
  }
  const auto second = joint > 0 ? written_time(text, span.past + joint) : std::nullopt;
  if (second) {
    const std::size_t past = span.past + joint + second->bytes;
    const bool chained = at_or_zero(text, past) == '-' && is_digit(at_or_zero(text, past + 1));
    if (chained || (listed && at_or_zero(text, past_spaces(text, past)) != close) ||
        first->is_clock != second->is_clock)
      return std::nullopt;  // "2024-05-12", "1, 2, 3"
    span.end = second->seconds;
    span.past = past;
    span.is_pair = true;
    has_unit = has_unit || second->has_unit;
    has_fraction = has_fraction && second->has_fraction;
  }
  if (close != '\0') {
    const std::size_t inner = past_spaces(text, span.past);
    if (at_or_zero(text, inner) == close) {
      span.enclosed = true;
      span.begin = opening - 1;
      span.past = inner + 1;
    }
  }
  span.marked =
      has_unit || is_clock || (span.enclosed && span.is_pair && (close != ')' || has_fraction));
  return span;
}

}  // namespace tarsier
