#include "tarsier/engine/loop_detector.h"

#include <gtest/gtest.h>

namespace tarsier {
namespace {

/// How many of the tokens it takes until a loop is noticed; 0: none.
std::int64_t noticed(const std::vector<std::int64_t>& tokens) {
  LoopDetector loops;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (loops.push(tokens[i])) return static_cast<std::int64_t>(i) + 1;
  }
  return 0;
}

std::vector<std::int64_t> repeated(std::vector<std::int64_t> start, std::int64_t period,
                                   std::int64_t tokens) {
  for (std::int64_t i = 0; i < tokens; ++i) start.push_back(1000 + i % period);
  return start;
}

TEST(LoopDetector, OneTokenOverAndOver) {
  EXPECT_EQ(noticed(repeated({}, 1, 47)), 0);
  EXPECT_EQ(noticed(repeated({}, 1, 48)), 48);
  EXPECT_EQ(noticed(repeated({1, 2, 3}, 1, 100)), 51);
}

TEST(LoopDetector, ASentenceFourTimes) {
  EXPECT_EQ(noticed(repeated({7, 8}, 20, 79)), 0);
  EXPECT_EQ(noticed(repeated({7, 8}, 20, 80)), 82);
  LoopDetector loops;
  for (const std::int64_t token : repeated({7, 8}, 20, 80)) loops.push(token);
  EXPECT_EQ(loops.repeated_tokens(), 60);
}

TEST(LoopDetector, TheLongestPeriod) {
  EXPECT_EQ(noticed(repeated({}, 64, 4 * 64)), 256);
  EXPECT_EQ(noticed(repeated({}, 65, 8 * 65)), 0);
}

TEST(LoopDetector, AListOfLikeSentencesIsNone) {
  std::vector<std::int64_t> tokens;
  for (std::int64_t i = 0; i < 100; ++i) {  // "At second N the circle moves."
    for (const std::int64_t token : {11L, 12L, 500 + i, 13L, 14L, 15L, 16L})
      tokens.push_back(token);
  }
  EXPECT_EQ(noticed(tokens), 0);
}

TEST(LoopDetector, ABrokenRepeatStartsAnew) {
  std::vector<std::int64_t> tokens = repeated({}, 10, 39);
  tokens.push_back(1);
  EXPECT_EQ(noticed(repeated(tokens, 10, 39)), 0);
}

}  // namespace
}  // namespace tarsier
