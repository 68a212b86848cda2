#pragma once

#include "tarsier/judge/caption_judge.h"
#include "tarsier/judge/exact_event_judge.h"

namespace tarsier {

/// The caption metric counted exactly, for texts about the moving-shapes world: missed are the
/// events that no told one matches, hallucinated the told ones that match none, and nothing is
/// incorrect, for an event told with a wrong argument is another event. WorldScorer's miss and
/// hallucination are these counts.
class ExactCaptionJudge : public CaptionJudge {
 public:
  explicit ExactCaptionJudge(Language language) : exact_(language) {}

  /// InputError for events that are not of the world.
  Outcome<CaptionErrors> judge(const std::vector<std::string>& events, const std::string& caption,
                               const CaptionQuestion& question, std::stop_token stop) override;
  std::string id() const override { return exact_.id(); }
  PromptVersion prompt() const override { return exact_.prompt(); }

 private:
  ExactEventJudge exact_;
};

}  // namespace tarsier
