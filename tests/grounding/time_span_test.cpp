#include "tarsier/grounding/time_span.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace tarsier {
namespace {

TEST(WrittenTime, NumbersUnitsAndClocks) {
  struct Case {
    const char* text;
    double seconds;
    std::size_t bytes;
    bool is_clock, has_unit;
  };
  for (const Case& each : {Case{"2", 2, 1, false, false},
                           {"2.5", 2.5, 3, false, false},
                           {"2.5s", 2.5, 4, false, true},
                           {"12 seconds", 12, 10, false, true},
                           {"12 Secs.", 12, 7, false, true},
                           {"3 sec", 3, 5, false, true},
                           {"1 second", 1, 8, false, true},
                           {"5 second", 5, 1, false, false},
                           {"3\u79D2", 3, 4, false, true},
                           {"4 steps", 4, 1, false, false},
                           {"2. Then", 2, 1, false, false},
                           {"0:05", 5, 4, true, false},
                           {"00:05: x", 5, 5, true, false},
                           {"75:00", 4500, 5, true, false},
                           {"01:02:03", 3723, 8, true, false},
                           {"1:02:03.25", 3723.25, 10, true, false},
                           {"00:00:01,500", 1.5, 12, true, false},
                           {"0:05, 0:07", 5, 4, true, false},
                           {"00:02.5", 2.5, 7, true, false}}) {
    const auto time = written_time(each.text, 0);
    ASSERT_TRUE(time.has_value()) << each.text;
    EXPECT_DOUBLE_EQ(time->seconds, each.seconds) << each.text;
    EXPECT_EQ(time->bytes, each.bytes) << each.text;
    EXPECT_EQ(time->is_clock, each.is_clock) << each.text;
    EXPECT_EQ(time->has_unit, each.has_unit) << each.text;
  }
}

TEST(WrittenTime, IsNeverCutOutOfSomethingElse) {
  for (const char* text :
       {"", "a", "s", ".5", "1.2.3", "3:7", "0:75", "0:60:00", "4x", "5min", "1:02:03:04", "16:9"})
    EXPECT_FALSE(written_time(text, 0).has_value()) << text;
  EXPECT_FALSE(written_time("a4 s", 1).has_value());
  EXPECT_FALSE(written_time("1:05", 2).has_value());
  EXPECT_FALSE(written_time("12 s", 1).has_value());
}

TEST(WrittenTime, OfAnyLength) {
  EXPECT_TRUE(std::isinf(written_time(std::string(5000, '9'), 0)->seconds));
  const std::string small = "0." + std::string(5000, '0') + "1s";
  EXPECT_EQ(written_time(small, 0)->seconds, 0);
  EXPECT_EQ(written_time(small, 0)->bytes, small.size());
}

TEST(WrittenSpan, JoinsTwoTimes) {
  for (const char* text : {"2.5-4.0s", "2.5 - 4 s", "2.5s - 4s", "2.5 to 4 seconds", "2.5s\u20134s",
                           "2.5 \u2014 4 sec", "2.5s and 4s", "2.5 --> 4s", "2.5~4s",
                           "2.5\u79D2\u52304\u79D2", "2.5s until 4.0 seconds"}) {
    const auto span = written_span(text, 0);
    ASSERT_TRUE(span && span->is_pair) << text;
    EXPECT_EQ(span->start, 2.5) << text;
    EXPECT_EQ(span->end, 4) << text;
    EXPECT_TRUE(span->marked) << text;
    EXPECT_EQ(span->past, std::string(text).size()) << text;
  }
}

TEST(WrittenSpan, IsMarkedByUnitClockOrBrackets) {
  struct Case {
    const char* text;
    std::size_t at;
    bool marked, enclosed, is_pair;
  };
  for (const Case& each : {Case{"2-4 people", 0, false, false, true},
                           {"[2-4]", 1, true, true, true},
                           {"[2.5, 4.0]", 1, true, true, true},
                           {"<2-4>", 1, true, true, true},
                           {"(2-4)", 1, false, true, true},
                           {"(2.5-4.0)", 1, true, true, true},
                           {"( 2s - 4s )", 2, true, true, true},
                           {"[3]", 1, false, true, false},
                           {"[3s]", 1, true, true, false},
                           {"[0:05-0:12]", 1, true, true, true},
                           {"[2-4 or so]", 1, false, false, true}}) {
    const auto span = written_span(each.text, each.at);
    ASSERT_TRUE(span.has_value()) << each.text;
    EXPECT_EQ(span->marked, each.marked) << each.text;
    EXPECT_EQ(span->enclosed, each.enclosed) << each.text;
    EXPECT_EQ(span->is_pair, each.is_pair) << each.text;
    if (each.enclosed) {
      EXPECT_EQ(span->begin, 0u) << each.text;
      EXPECT_EQ(span->past, std::string(each.text).size()) << each.text;
    }
  }
  for (const char* text : {"2024-05-12", "5-0:07", "0:05-7"})
    EXPECT_FALSE(written_span(text, 0).has_value()) << text;
  EXPECT_FALSE(written_span("[1, 2, 3]", 1).has_value());
  EXPECT_FALSE(written_span("-2 s", 1).has_value());
  EXPECT_FALSE(written_span("[-2s, 4s]", 2).has_value());
}

}  // namespace
}  // namespace tarsier
