#include "tarsier/cli/score_judges.h"

#include "tarsier/judge/chat_caption_judge.h"
#include "tarsier/judge/chat_event_judge.h"

namespace tarsier {

ScoreJudges open_score_judges(const JudgeFlags& flags, bool events, bool captions) {
  if (flags.exact()) return exact_judges(judge_language(flags), events, captions);
  ScoreJudges judges;
  const std::shared_ptr<ChatJudge> judge = open_judge(flags);
  if (events) judges.events = std::make_shared<ChatEventJudge>(judge);
  if (captions) judges.captions = std::make_shared<ChatCaptionJudge>(judge);
  return judges;
}

}  // namespace tarsier
