#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tarsier/base/outcome.h"
#include "tarsier/judge/caption_judge.h"

namespace tarsier {

/// The caption metric of video-SALMONN 2 (evaluation.md 3, models-video-salmonn-2.md 5.7).

/// A caption and the events of its video.
struct CaptionItem {
  std::string id;  // "0.mp4"
  std::vector<std::string> events;
  std::optional<std::string> caption;  // as the model wrote it; none: the video is never scored
};

/// How often is asked. The defaults are upstream's for scores that are published; a reward is one
/// trial.
struct CaptionSchedule {
  std::int64_t trials = 7;     // odd, so that one of them is the median
  std::int64_t retries = 8;    // passes of a trial over what has no counts yet
  std::int64_t fallbacks = 3;  // the same with the form of counts alone, after them
  std::int64_t seed = 2024;    // of the first pass; one more for each pass made
};

/// Sums over the captions that were scored. Rates are per event of theirs; 0 where there is none,
/// with `undefined`.
struct CaptionRates {
  std::int64_t events = 0, missed = 0, incorrect = 0, hallucinated = 0;
  std::int64_t scored = 0, failed = 0;  // captions; without a caption: neither
  bool undefined = false;

  double missed_rate() const { return per_event(missed); }
  double incorrect_rate() const { return per_event(incorrect); }
  double hallucinated_rate() const { return per_event(hallucinated); }
  double error_rate() const {
    return per_event(missed + incorrect + hallucinated);
  }  // may exceed 1

  double per_event(std::int64_t count) const {
    return events == 0 ? 0 : static_cast<double>(count) / static_cast<double>(events);
  }
};

struct CaptionTrial {
  std::vector<Outcome<CaptionErrors>> outcomes;  // of each item; a note where there are no counts
  CaptionRates rates;
};

struct CaptionResult {
  std::vector<CaptionTrial> trials;  // none when it was stopped
  std::size_t median = 0;            // which of them is reported: all numbers are that trial's

  const CaptionTrial& reported() const { return trials.at(median); }
};

/// Calls `work` with 0 ... count - 1, in any order and on any threads, and returns when all is done
/// or left undone by a stop.
using ForEach =
    std::function<void(std::size_t count, const std::function<void(std::size_t)>& work)>;

/// Cleans and judges every caption in each trial: one pass over all, passes over those without
/// counts, the fallback form. A caption still without counts is failed in that trial: listed, and
/// in none of its sums. ConfigError for a schedule without a median; throws as CaptionJudge, except
/// InputError, which fails its caption alone.
CaptionResult score_captions(CaptionJudge& judge, std::span<const CaptionItem> items,
                             const CaptionSchedule& schedule, const ForEach& for_each,
                             const std::stop_token& stop);

/// One caption in one trial, for a reward: errors() / events of the outcome is its e (training.md
/// 7.4). Seeds as score_captions.
Outcome<CaptionErrors> caption_errors(CaptionJudge& judge, const std::vector<std::string>& events,
                                      const std::string& caption, CaptionSchedule schedule = {},
                                      const std::stop_token& stop = {});

/// The sums over one trial's outcomes.
CaptionRates caption_rates(std::span<const CaptionItem> items,
                           std::span<const Outcome<CaptionErrors>> outcomes);

/// Which trial has the median error rate; of an odd number.
std::size_t median_trial(std::span<const double> error_rates);

}  // namespace tarsier
