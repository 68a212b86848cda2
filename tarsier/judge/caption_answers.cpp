#include "tarsier/judge/caption_answers.h"

#include <fmt/format.h>

#include <charconv>
#include <initializer_list>

#include "tarsier/base/json.h"
#include "tarsier/judge/caption_sample.h"
#include "tarsier/judge/json_repair.h"

namespace tarsier {
namespace {

constexpr char kWhere[] = "judge's answer";
constexpr std::int64_t kMostCounted = 1'000'000;

// What follows each key up to the next, without blanks and commas around it.
std::vector<std::string_view> between(std::string_view text,
                                      std::initializer_list<std::string_view> keys) {
  std::vector<std::string_view> values;
  for (const std::string_view key : keys) {
    const std::size_t at = text.find(key);
    if (at == std::string_view::npos)
      throw InputError({kWhere, fmt::format("has no '{}' in its place", key), ""});
    if (!values.empty()) values.back() = values.back().substr(0, at);
    text.remove_prefix(at + key.size());
    values.push_back(text);
  }
  constexpr std::string_view kAround = " \t\n\r,";
  for (std::string_view& value : values) {
    const std::size_t begin = value.find_first_not_of(kAround);
    value = begin == std::string_view::npos
                ? std::string_view()
                : value.substr(begin, value.find_last_not_of(kAround) - begin + 1);
  }
  return values;
}

std::int64_t count_of(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 0 || count > kMostCounted)
    throw InputError({kWhere, fmt::format("has '{}' for a count", text.substr(0, 40)), ""});
  return count;
}

std::vector<std::string> list_of(std::string_view text) {
  try {
    return texts_of(parse_json(text, kWhere, JsonOwner::input));
  } catch (const InputError&) {
    return texts_of(parse_literal(text, kWhere));
  }
}

}  // namespace

Outcome<CaptionErrors> read_caption_lists(std::string_view answer, std::int64_t events) {
  try {
    const std::vector<std::string_view> parts =
        between(answer, {"Missed:", "Incorrect:", "Hallucination:", "Missed Events:",
                         "Incorrect Events:", "Hallucination Events:"});
    CaptionErrors errors;
    errors.events = events;
    errors.missed = count_of(parts[0]);
    errors.incorrect = count_of(parts[1]);
    errors.hallucinated = count_of(parts[2]);
    errors.missed_events = list_of(parts[3]);
    errors.incorrect_events = list_of(parts[4]);
    errors.hallucinated_events = list_of(parts[5]);
    return errors;
  } catch (const InputError& error) {
    return error.note;
  }
}

Outcome<CaptionErrors> read_caption_counts(std::string_view answer, std::int64_t events) {
  try {
    const std::vector<std::string_view> parts =
        between(answer, {"Missed:", "Correct:", "Incorrect:", "Hallucination:"});
    CaptionErrors errors;
    errors.events = events;
    errors.missed = count_of(parts[0]);
    errors.incorrect = count_of(parts[2]);
    errors.hallucinated = count_of(parts[3]);
    const std::int64_t sum = errors.missed + count_of(parts[1]) + errors.incorrect;
    if (sum != events)
      return ErrorNote{
          kWhere,
          fmt::format("missed, correct and incorrect add up to {} of {} events", sum, events), ""};
    return errors;
  } catch (const InputError& error) {
    return error.note;
  }
}

}  // namespace tarsier
