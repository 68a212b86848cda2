#include "tarsier/judge/exact_event_judge.h"

#include <fmt/format.h>

#include "tarsier/synth/event_match.h"
#include "tarsier/synth/grammar.h"
#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/phrasing.h"

namespace tarsier {
namespace {

ParsedEvent parse_event(const std::string& text, Language language) {
  const ParsedScene scene = parse_description(text, language);
  if (scene.events.size() != 1 || scene.sentences != 1)
    throw InputError({"exact judge",
                      fmt::format("'{}' is no event of the moving-shapes world", text),
                      "judge texts about real video with a model"});
  return scene.events[0];
}

}  // namespace

std::string ExactEventJudge::id() const { return fmt::format("exact, {}", table(language_).name); }

Outcome<Extraction> ExactEventJudge::extract(const std::string& text, std::stop_token) {
  const ParsedScene scene = parse_description(text, language_);
  Extraction extraction;
  for (const ParsedEvent& event : scene.events)
    extraction.events.push_back(as_sentence(told_clause(event, language_), language_));
  extraction.sentences = scene.sentences;
  extraction.unparsed = scene.unparsed;
  return extraction;
}

std::string ExactEventJudge::text_of(const std::vector<std::string>& events) const {
  std::string text;
  for (const std::string& event : events)
    text += as_sentence(told_clause(parse_event(event, language_), language_), language_) + " ";
  return text;
}

Outcome<std::vector<EventLabel>> ExactEventJudge::label(const std::vector<std::string>& events,
                                                        const std::string& premise,
                                                        const std::string&, std::stop_token) {
  std::vector<ParsedEvent> asked;
  asked.reserve(events.size());
  for (const std::string& event : events) asked.push_back(parse_event(event, language_));
  std::vector<EventLabel> labels;
  for (const std::int64_t claim : match_events(asked, parse_description(premise, language_).events))
    labels.push_back(claim >= 0 ? EventLabel::entailment : EventLabel::neutral);
  return labels;
}

}  // namespace tarsier
