#include "tarsier/judge/event_answers.h"

#include <fmt/format.h>

#include <array>

#include "tarsier/base/json.h"
#include "tarsier/judge/json_repair.h"

namespace tarsier {
namespace {

constexpr char kWhere[] = "judge's answer";
constexpr std::array kLabels = {EventLabel::entailment, EventLabel::neutral,
                                EventLabel::contradiction};
constexpr std::string_view kBlanks = " \t\n\r\f\v";

JsonView list_in(const JsonView& answer) {
  JsonView events = answer.at("events");
  if (!events.is_array()) events.fail("is not a list", "");
  return events;
}

EventLabel label_of(const JsonView& value) {
  const std::string& text = value.as_string();
  const std::size_t begin = text.find_first_not_of(kBlanks);
  std::string word;
  if (begin != std::string::npos)
    word = text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
  for (char& c : word) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  for (const EventLabel label : kLabels) {
    if (word == name_of(label)) return label;
  }
  value.fail("is none of entailment, neutral and contradiction", "");
}

}  // namespace

Outcome<std::vector<std::string>> read_events(std::string_view answer) {
  try {
    const JsonView list = list_in(parse_literal(without_fences(answer), kWhere));
    std::vector<std::string> events;
    for (std::int64_t i = 0; i < list.size(); ++i) {
      const std::string& event = list.at(i).as_string();
      if (event.find_first_not_of(kBlanks) == std::string::npos)
        list.at(i).fail("is an event without words", "");
      events.push_back(event);
    }
    return events;
  } catch (const InputError& error) {
    return error.note;
  }
}

Outcome<std::vector<EventLabel>> read_labels(std::string_view answer, std::size_t count) {
  try {
    const JsonView list = list_in(parse_json(repair_json(answer), kWhere, JsonOwner::input));
    if (list.size() != static_cast<std::int64_t>(count))
      list.fail(fmt::format("has {} labels for {} events", list.size(), count), "");
    std::vector<EventLabel> labels;
    for (std::int64_t i = 0; i < list.size(); ++i)
      labels.push_back(label_of(list.at(i).at("relationship")));
    return labels;
  } catch (const InputError& error) {
    return error.note;
  }
}

}  // namespace tarsier
