#include "tarsier/judge/chat_event_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tarsier/judge/autodq_prompts.h"
#include "tarsier/judge/event_answers.h"
#include "tarsier/text/lower_case.h"
#include "tarsier/text/utf8.h"

namespace tarsier {
namespace {

std::string lower_case(const std::string& text) {
  require_utf8(text, "judged text");
  return to_lower_case(text);
}

// `read` makes of an answer what is wanted, or a note.
template <class Read>
auto ask(ChatJudge& judge, JudgeRequest request, const Read& read, const std::stop_token& stop)
    -> decltype(read(std::string())) {
  ErrorNote last;
  for (int attempt = 0; attempt < ChatEventJudge::kAttempts; ++attempt) {
    if (stop.stop_requested()) return stopped_note();
    request.attempt = attempt;
    const Outcome<std::string> answer = judge.complete(request, stop);
    if (const auto* note = std::get_if<ErrorNote>(&answer)) {
      last = *note;
      continue;
    }
    auto result = read(std::get<std::string>(answer));
    if (const auto* note = std::get_if<ErrorNote>(&result)) {
      last = *note;
      continue;
    }
    return result;
  }
  if (stop.stop_requested()) return stopped_note();
  return ErrorNote{judge.id(),
                   fmt::format("gave no usable answer in {} attempts, at last: {}",
                               ChatEventJudge::kAttempts, last.text()),
                   ""};
}

}  // namespace

ChatEventJudge::ChatEventJudge(std::shared_ptr<ChatJudge> judge, JudgeParams params)
    : judge_(std::move(judge)), params_(params) {}

PromptVersion ChatEventJudge::prompt() const { return autodq_prompt(); }

Outcome<Extraction> ChatEventJudge::extract(const std::string& text, std::stop_token stop) {
  JudgeRequest request = extraction_request(lower_case(text));
  request.params = params_;
  Outcome<std::vector<std::string>> events = ask(*judge_, std::move(request), read_events, stop);
  if (auto* note = std::get_if<ErrorNote>(&events)) return std::move(*note);
  return Extraction{.events = std::get<std::vector<std::string>>(std::move(events))};
}

Outcome<std::vector<EventLabel>> ChatEventJudge::label(const std::vector<std::string>& events,
                                                       const std::string& premise,
                                                       const std::string& instead,
                                                       std::stop_token stop) {
  std::vector<std::string> asked = events;
  if (events.empty()) {
    asked.push_back(lower_case(instead));
    std::replace(asked[0].begin(), asked[0].end(), '\n', ' ');
  }
  for (const std::string& event : asked) require_utf8(event, "judged event");
  JudgeRequest request = label_request(asked, lower_case(premise));
  request.params = params_;
  const auto read = [&](const std::string& answer) { return read_labels(answer, asked.size()); };
  Outcome<std::vector<EventLabel>> labels = ask(*judge_, std::move(request), read, stop);
  if (events.empty() && !std::holds_alternative<ErrorNote>(labels))
    return std::vector<EventLabel>();
  return labels;
}

}  // namespace tarsier
