#include "tarsier/grounding/time_notation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/grounding/refusal.h"

namespace tarsier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::refusal_of;

SaidText events(std::string_view answer) {
  return parse_time_notation({answer, "model"}, GroundingTask::events);
}

std::vector<std::pair<double, double>> segments(std::string_view answer) {
  std::vector<std::pair<double, double>> spans;
  for (const SaidEvent& event :
       parse_time_notation({answer, "model"}, GroundingTask::segments).events)
    spans.emplace_back(event.start, event.end);
  return spans;
}

TEST(TimeNotation, EachFormOfTwoEvents) {
  for (const char* answer : {
           "[2.5-4.0] A dog runs.\n[4.0-6.0] It stops.",
           "[2.5, 4.0] A dog runs.\n[4.0, 6.0] It stops.",
           "[2.5-4.0] A dog runs. [4.0-6.0] It stops.",
           "2.5s - 4s: A dog runs.\n4s - 6s: It stops.",
           "2.5s \u2013 4s: A dog runs.\n4s \u2013 6s: It stops.",
           "2.5 - 4.0 seconds, A dog runs.\n4.0 - 6.0 seconds, It stops.",
           "From 2.5 to 4.0 seconds, A dog runs.\nFrom 4.0 to 6.0 seconds, It stops.",
           "From 2.5 to 4.0 seconds, A dog runs. From 4.0 to 6.0 seconds, It stops.",
           "- Between 2.5 and 4 seconds: A dog runs.\n- Between 4 and 6 seconds: It stops.",
           "1. **2.5s - 4s**: A dog runs.\n2. **4s - 6s**: It stops.",
           "1. [2.5s-4s] A dog runs.\n\n2. [4s-6s] It stops.",
           "00:02.5 - 00:04: A dog runs.\n00:04 - 00:06: It stops.",
           "0:02.5-0:04 A dog runs.\n0:04-0:06 It stops.",
           "[0:02.5-0:04] A dog runs.\n[0:04-0:06] It stops.",
           "[0:02.5] - [0:04] A dog runs.\n[0:04] - [0:06] It stops.",
           "0:00:02.500 --> 0:00:04.000\nA dog runs.\n\n0:00:04,000 --> 0:00:06,000\nIt stops.",
           "| 0:02.5 - 0:04 | A dog runs. |\n| 0:04 - 0:06 | It stops. |",
           "<2.5-4.0> A dog runs. <4.0-6.0> It stops.",
           "Event 1: 2.5s - 4s: A dog runs.\nEvent 2: 4s - 6s: It stops.",
           "**Event 1** (2.5s-4s): A dog runs.\n**Event 2** (4s-6s): It stops.",
           "Timestamp: 0:02.5 - 0:04\nA dog runs.\n\nTimestamp: 0:04 - 0:06\nIt stops.",
           "* 2.5s to 4s - A dog runs.\n* 4s to 6s - It stops.",
       }) {
    const SaidText said = events(answer);
    EXPECT_THAT(said.events,
                ElementsAre(SaidEvent{2.5, 4, "A dog runs."}, SaidEvent{4, 6, "It stops."}))
        << answer;
    EXPECT_EQ(said.opening, "") << answer;
  }
}

TEST(TimeNotation, TimesBehindTheirWords) {
  for (const char* answer :
       {"A dog runs (2.5s-4.0s). It stops (4s-6s).", "A dog runs (2.5s-4.0s)\nIt stops (4s-6s)",
        "A dog runs [2.5-4.0]. It stops [4-6].",
        "- A dog runs (0:02.5 - 0:04)\n- It stops (0:04 - 0:06)",
        "A dog runs (2.5-4.0). It stops (4.0-6.0).",
        "A dog runs from 2.5 to 4 seconds. It stops from 4 to 6 seconds.",
        "A dog runs between 2.5 and 4 s.\nIt stops between 4 and 6 s."}) {
    EXPECT_THAT(events(answer).events,
                ElementsAre(SaidEvent{2.5, 4, "A dog runs"}, SaidEvent{4, 6, "It stops"}))
        << answer;
  }
  EXPECT_THAT(events("A dog runs (2s-4s) across the road.").events,
              ElementsAre(SaidEvent{2, 4, "A dog runs across the road."}));
}

TEST(TimeNotation, WordsBelongToTheTimeBesideThem) {
  const SaidText said =
      events("A park in the sun.\n\n[0-2] A dog runs,\nfast. [2-4] It stops.\nThen it sits.");
  EXPECT_EQ(said.opening, "A park in the sun.");
  EXPECT_THAT(said.events, ElementsAre(SaidEvent{0, 2, "A dog runs, fast."},
                                       SaidEvent{2, 4, "It stops.\nThen it sits."}));
  EXPECT_EQ(events("Sure: 0s - 2s: a dog.").opening, "Sure:");
}

TEST(TimeNotation, SeveralTimesShareTheirWords) {
  EXPECT_THAT(events("1 - 2 s and 4 - 5 s: A dog barks.").events,
              ElementsAre(SaidEvent{1, 2, "A dog barks."}, SaidEvent{4, 5, "A dog barks."}));
  EXPECT_THAT(events("A dog barks [1-2], [4-5].").events,
              ElementsAre(SaidEvent{1, 2, "A dog barks"}, SaidEvent{4, 5, "A dog barks"}));
}

TEST(TimeNotation, Moments) {
  EXPECT_THAT(
      events("0:05: A dog runs.\n[0:07] It stops.\nAt 9 seconds, it sits.\n12s - It goes.").events,
      ElementsAre(SaidEvent{5, 5, "A dog runs."}, SaidEvent{7, 7, "It stops."},
                  SaidEvent{9, 9, "it sits."}, SaidEvent{12, 12, "It goes."}));
}

TEST(TimeNotation, NumbersAmongWordsAreNoTimes) {
  for (const char* answer :
       {"", "A dog runs.", "2-4 people walk by.", "A man waits for 2-3 seconds.",
        "2 seconds later it stops.", "Room 12:30 is shown on 2024-05-12, version 1.2.3.",
        "A ratio of 16:9, 4x faster, see [3] and (2-4).", "[-2s, 4s] A dog runs."}) {
    EXPECT_THAT(events(answer).events, IsEmpty()) << answer;
  }
  EXPECT_THAT(
      events("From 2.5 to 4.0 seconds, the man waits for 1 to 2 seconds by a clock of 3:15.")
          .events,
      ElementsAre(SaidEvent{2.5, 4, "the man waits for 1 to 2 seconds by a clock of 3:15."}));
}

TEST(TimeNotation, OtherLanguages) {
  EXPECT_THAT(events("\u4ECE2.5\u79D2\u52304\u79D2\uFF0C\u72D7\u8DD1\u3002").events,
              ElementsAre(SaidEvent{2.5, 4, "\u72D7\u8DD1\u3002"}));
}

TEST(TimeNotation, SegmentsOfOneQuery) {
  using Spans = std::vector<std::pair<double, double>>;
  const std::vector<std::pair<const char*, Spans>> cases = {
      {"The clip shows it in 12.5 - 20.0 seconds.", {{12.5, 20}}},
      {"It is 5.0 - 9.5, and 31.2 - 40 seconds", {{5, 9.5}, {31.2, 40}}},
      {"It is 1 - 2, 3 - 4, and 5 - 6 seconds.", {{1, 2}, {3, 4}, {5, 6}}},
      {"between 5 and 9 seconds", {{5, 9}}},
      {"from 3s to 7s", {{3, 7}}},
      {"12 \u2013 18 seconds", {{12, 18}}},
      {"00:01:05 - 00:01:20", {{65, 80}}},
      {"12.5 - 20.0", {{12.5, 20}}},
      {"12.5 to 20.0.", {{12.5, 20}}},
      {"5 - 9, 12 - 15", {{5, 9}, {12, 15}}},
      {"It happens at 5.0 seconds.", {{5, 5}}},
      {"5.0 seconds", {{5, 5}}},
      {"The dog barks for 2-3 seconds, at 0:05-0:07 and at 0:12.", {{5, 7}, {12, 12}}},
      {"In this 30 s video it happens in [3-4] and [6-7].", {{3, 4}, {6, 7}}},
      {"There are 2-4 people.", {}},
      {"It starts at 3 and ends at 7", {}},
      {"No.", {}}};
  for (const auto& [answer, spans] : cases) EXPECT_EQ(segments(answer), spans) << answer;
}

TEST(TimeNotation, ATimeWithoutWordsIsRefused) {
  for (const char* answer : {"[2-4]", "[2-4] \n[4-6] x\n[6-8] .", "0:05 - 0:12:", "(2s-4s)."}) {
    EXPECT_THAT(refusal_of([&] { events(answer); }),
                HasSubstr("model: answered with a time that no event stands beside; it said '"))
        << answer;
  }
}

}  // namespace
}  // namespace tarsier
