#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "tarsier/base/outcome.h"
#include "tarsier/judge/event_judge.h"

namespace tarsier {

/// What is wrong with one caption, by the events of its video (evaluation.md 3).
struct CaptionErrors {
  std::int64_t events = 0;  // of the video
  std::int64_t missed = 0, incorrect = 0, hallucinated = 0;
  // What was counted, where the judge lists it: not after the form of counts alone.
  std::vector<std::string> missed_events, incorrect_events, hallucinated_events;

  std::int64_t errors() const { return missed + incorrect + hallucinated; }
  bool operator==(const CaptionErrors&) const = default;
};

/// How a judge is asked: for counts and lists, or for counts alone, which must then add up.
enum class CaptionForm { lists, counts };
struct CaptionQuestion {
  CaptionForm form = CaptionForm::lists;
  std::int64_t seed = 0;
};

/// Counts what a caption misses, tells wrong and makes up. Thread-safe.
class CaptionJudge {
 public:
  virtual ~CaptionJudge() = default;

  /// One question about a caption (cleaned), without another attempt. A note when it got no usable
  /// answer or `stop` ended it; throws as EventJudge.
  virtual Outcome<CaptionErrors> judge(const std::vector<std::string>& events,
                                       const std::string& caption, const CaptionQuestion& question,
                                       std::stop_token stop) = 0;

  virtual std::string id() const = 0;  // as ChatJudge::id
  virtual PromptVersion prompt() const = 0;
};

}  // namespace tarsier
