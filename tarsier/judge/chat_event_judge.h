#pragma once

#include <memory>

#include "tarsier/judge/chat_judge.h"
#include "tarsier/judge/event_judge.h"

namespace tarsier {

/// AutoDQ's questions asked of a chat judge, as upstream asks them (evaluation.md 2.1): texts in
/// lower case (events that are given stay as they are), each question up to ten times until its
/// answer can be read, with the parameters left to the judge.
class ChatEventJudge : public EventJudge {
 public:
  static constexpr int kAttempts = 10;

  explicit ChatEventJudge(std::shared_ptr<ChatJudge> judge, JudgeParams params = {});

  Outcome<Extraction> extract(const std::string& text, std::stop_token stop) override;
  Outcome<std::vector<EventLabel>> label(const std::vector<std::string>& events,
                                         const std::string& premise, const std::string& instead,
                                         std::stop_token stop) override;
  std::string id() const override { return judge_->id(); }
  PromptVersion prompt() const override;

 private:
  std::shared_ptr<ChatJudge> judge_;
  JudgeParams params_;
};

}  // namespace tarsier
