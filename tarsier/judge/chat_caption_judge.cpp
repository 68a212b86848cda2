#include "tarsier/judge/chat_caption_judge.h"

#include <utility>

#include "tarsier/judge/caption_answers.h"
#include "tarsier/judge/caption_prompts.h"
#include "tarsier/text/utf8.h"

namespace tarsier {

ChatCaptionJudge::ChatCaptionJudge(std::shared_ptr<ChatJudge> judge) : judge_(std::move(judge)) {}

PromptVersion ChatCaptionJudge::prompt() const { return caption_prompt(); }

Outcome<CaptionErrors> ChatCaptionJudge::judge(const std::vector<std::string>& events,
                                               const std::string& caption,
                                               const CaptionQuestion& question,
                                               std::stop_token stop) {
  require_utf8(caption, "judged text");
  for (const std::string& event : events) require_utf8(event, "judged event");
  const auto count = static_cast<std::int64_t>(events.size());
  const bool lists = question.form == CaptionForm::lists;
  const Outcome<std::string> answer =
      judge_->complete(lists ? caption_lists_request(events, caption, question.seed)
                             : caption_counts_request(events, caption, question.seed),
                       std::move(stop));
  if (const auto* note = std::get_if<ErrorNote>(&answer)) return *note;
  const auto& text = std::get<std::string>(answer);
  return lists ? read_caption_lists(text, count) : read_caption_counts(text, count);
}

}  // namespace tarsier
