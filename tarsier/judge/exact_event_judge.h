#pragma once

#include "tarsier/judge/event_judge.h"
#include "tarsier/synth/world.h"

namespace tarsier {

/// AutoDQ's questions answered exactly, for texts about the moving-shapes world: the grammar reads
/// them (synth/grammar.h), and events match one to one by kind, object and argument
/// (synth/event_match.h), as WorldScorer counts them; sounds are events like the others. An event
/// is entailed or neutral; what the grammar does not read tells no event and is counted apart.
class ExactEventJudge : public EventJudge {
 public:
  explicit ExactEventJudge(Language language) : language_(language) {}

  Outcome<Extraction> extract(const std::string& text, std::stop_token stop) override;
  /// InputError for an event that is not one of the world, alone in its sentence.
  Outcome<std::vector<EventLabel>> label(const std::vector<std::string>& events,
                                         const std::string& premise, const std::string& instead,
                                         std::stop_token stop) override;
  std::string id() const override;
  /// Events as one text that tells them all. InputError as label().
  std::string text_of(const std::vector<std::string>& events) const;
  PromptVersion prompt() const override { return {"moving-shapes grammar", ""}; }

 private:
  Language language_;
};

}  // namespace tarsier
