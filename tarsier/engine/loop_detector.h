#pragma once

#include <cstdint>
#include <vector>

namespace tarsier {

/// Notices an answer that only repeats itself: the same n-gram of up to kLongestPeriod tokens, over
/// and over, at its end. One answer each.
class LoopDetector {
 public:
  static constexpr std::int64_t kLongestPeriod = 64;  // tokens of an n-gram
  static constexpr std::int64_t kRepeats = 4;         // of one n-gram, in a row
  static constexpr std::int64_t kLeastTokens = 48;    // of them all: "very very very" is no loop

  /// Takes the next token; whether the answer now ends in a loop.
  bool push(std::int64_t token);
  /// Of the loop found: how many of the last tokens repeat what stands before them.
  std::int64_t repeated_tokens() const { return repeated_; }

 private:
  std::vector<std::int64_t> tokens_;
  std::vector<std::int64_t> matches_ =
      std::vector<std::int64_t>(kLongestPeriod + 1);  // by period: tokens in a row that equal the
                                                      // one a period before
  std::int64_t repeated_ = 0;
};

}  // namespace tarsier
