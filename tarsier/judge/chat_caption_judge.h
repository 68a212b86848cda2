#pragma once

#include <memory>

#include "tarsier/judge/caption_judge.h"
#include "tarsier/judge/chat_judge.h"

namespace tarsier {

/// The caption metric's questions asked of a chat judge.
class ChatCaptionJudge : public CaptionJudge {
 public:
  explicit ChatCaptionJudge(std::shared_ptr<ChatJudge> judge);

  Outcome<CaptionErrors> judge(const std::vector<std::string>& events, const std::string& caption,
                               const CaptionQuestion& question, std::stop_token stop) override;
  std::string id() const override { return judge_->id(); }
  PromptVersion prompt() const override;

 private:
  std::shared_ptr<ChatJudge> judge_;
};

}  // namespace tarsier
