#include "tarsier/engine/loop_detector.h"

#include <algorithm>

namespace tarsier {

bool LoopDetector::push(std::int64_t token) {
  const auto held = static_cast<std::int64_t>(tokens_.size());
  for (std::int64_t period = 1; period <= std::min(kLongestPeriod, held); ++period) {
    std::int64_t& matches = matches_[static_cast<std::size_t>(period)];
    matches = tokens_[static_cast<std::size_t>(held - period)] == token ? matches + 1 : 0;
    if (repeated_ == 0 && matches + period >= std::max(kRepeats * period, kLeastTokens))
      repeated_ = matches;
  }
  tokens_.push_back(token);
  return repeated_ > 0;
}

}  // namespace tarsier
