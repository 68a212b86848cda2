#include "tarsier/grounding/timed_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/grounding/refusal.h"

namespace tarsier {
namespace {

using ::testing::HasSubstr;
using testing::refusal_of;

const std::vector<double> kFrames = {0, 1, 2, 3, 4, 5, 6, 7};
const ClipClock kClock{kFrames, 0, 8};

TimedAnswer read(std::string_view answer, const std::string& query = "") {
  return read_timed_answer({answer, "model"}, kClock, query);
}

std::string refusal(std::string_view answer, const std::string& query = "") {
  return refusal_of([&] { read(answer, query); });
}

TEST(TimedAnswer, EachNotation) {
  const TimedAnswer frames = read("A park.<frame: 2-3>A dog runs.");
  EXPECT_EQ(frames.notation, TimeNotation::frames);
  EXPECT_EQ(frames.opening, "A park.");
  ASSERT_EQ(frames.events.size(), 1u);
  EXPECT_EQ(frames.events[0].when, (SecondsInterval{0.5, 2.5}));
  EXPECT_EQ(frames.events[0].text, "A dog runs.");
  EXPECT_EQ(frames.events[0].frames, (FrameEvent{2, 3, ""}));

  const TimedAnswer seconds = read("[2.5-4.0] A dog runs.");
  EXPECT_EQ(seconds.notation, TimeNotation::seconds);
  EXPECT_EQ(seconds.events.at(0).when, (SecondsInterval{2.5, 4}));
  EXPECT_FALSE(seconds.events[0].frames.has_value());
  EXPECT_FALSE(seconds.events[0].snapped);

  const TimedAnswer json = read(R"([{"start": 2.5, "end": 4, "label": "A dog runs."}])");
  EXPECT_EQ(json.notation, TimeNotation::json);
  EXPECT_EQ(json.events.at(0).when, (SecondsInterval{2.5, 4}));
  EXPECT_EQ(name_of(*json.notation), "json");
}

TEST(TimedAnswer, SegmentsCarryTheQuery) {
  for (const char* answer :
       {"<frame: 2><frame: 5-6>", "1 - 2 s and 4 - 5 s", "[[1, 2], [4, 5]]", "[1-2] [4-5]"}) {
    const TimedAnswer said = read(answer, "a dog barks");
    ASSERT_EQ(said.events.size(), 2u) << answer;
    EXPECT_EQ(said.events[0].text, "a dog barks");
    EXPECT_EQ(said.events[1].text, "a dog barks");
    EXPECT_LT(said.events[0].when.end, said.events[1].when.start) << answer;
  }
}

TEST(TimedAnswer, WhatDoesNotHappenHasNoEvents) {
  for (const char* answer : {"No", "No.", "no, there is no dog", "None.", "It does not happen.",
                             "The dog never happens to bark: it doesn't happen.", "[]"}) {
    EXPECT_TRUE(read(answer, "a dog barks").events.empty()) << answer;
    if (std::string_view(answer) != "[]") {
      EXPECT_THAT(refusal(answer), HasSubstr("without an interval")) << answer;
    }
  }
  EXPECT_EQ(read("No.", "a dog barks").notation, std::nullopt);
  for (const char* answer : {"", "Noon.", "Now a dog barks.", "A dog barks.", "Nothing to say"})
    EXPECT_THAT(refusal(answer, "a dog barks"),
                HasSubstr("model: answered without an interval of frames or seconds; it said '"))
        << answer;
}

TEST(TimedAnswer, OutsideByLessThanAStepIsSnappedAndSaysSo) {
  const TimedEvent over = read("[6-8.9] It runs.").events.at(0);
  EXPECT_EQ(over.when, (SecondsInterval{6, 8}));
  EXPECT_TRUE(over.snapped);
  const TimedEvent beyond = read("[8.5-9.0] It runs.").events.at(0);
  EXPECT_EQ(beyond.when, (SecondsInterval{8, 8}));
  EXPECT_TRUE(beyond.snapped);
  const TimedEvent before = read(R"([{"start": -0.5, "end": 1, "label": "x"}])").events.at(0);
  EXPECT_EQ(before.when, (SecondsInterval{0, 1}));
  EXPECT_TRUE(before.snapped);
  EXPECT_FALSE(read("[6-8] It runs.").events.at(0).snapped);
}

TEST(TimedAnswer, OutsideByMoreOrBackwardsIsRefused) {
  EXPECT_THAT(refusal("[6-9.1] It runs."),
              HasSubstr("model: answered with 6-9.1 s of 8 s; it said '[6-9.1] It runs.'; use a "
                        "model trained to say when things happen"));
  EXPECT_THAT(refusal("0:05 - 1:00:00 It runs."), HasSubstr("answered with 5-3600 s of 8 s"));
  EXPECT_THAT(refusal("[5-3] It runs."), HasSubstr("answered with 5-3 s, which runs backwards"));
  EXPECT_THAT(refusal(R"([{"start": -2, "end": 1, "label": "x"}])"),
              HasSubstr("answered with -2-1 s of 8 s"));
  EXPECT_THAT(refusal("1s - " + std::string(400, '9') + "s: x"),
              HasSubstr("answered with 1-inf s"));
  EXPECT_THAT(refusal("<frame: 7-9>x"), HasSubstr("answered with frames 7-9 of 8"));
  EXPECT_THAT(refusal("<frame: 5-3>x"), HasSubstr("answered with frames 5-3 of 8"));
  EXPECT_THAT(refusal("<frame: 2-4>"), HasSubstr("a frame interval that no event follows"));
  EXPECT_THAT(refusal("<frame: 2-"), HasSubstr("cannot be read"));
}

TEST(TimedAnswer, CountsFromTheStartOfTheWindow) {
  const std::vector<double> frames = {10.4, 11.4, 12.4, 13.4};
  const ClipClock window{frames, 10, 14};
  const TimedAnswer answer = read_timed_answer({"[1-2.5] It runs.", "model"}, window, "");
  EXPECT_DOUBLE_EQ(answer.events.at(0).when.start, 11);
  EXPECT_DOUBLE_EQ(answer.events.at(0).when.end, 12.5);
}

}  // namespace
}  // namespace tarsier
