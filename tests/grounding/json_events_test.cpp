#include "tarsier/grounding/json_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/grounding/refusal.h"

namespace tarsier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::refusal_of;

std::optional<SaidText> parse(std::string_view answer, GroundingTask task = GroundingTask::events) {
  return parse_json_events({answer, "model"}, task);
}

TEST(JsonEvents, EachFormOfTwoEvents) {
  for (
      const char* answer : {
          R"([{"start": 2.5, "end": 4, "label": "A dog runs."}, {"start": 4, "end": 6, "label": "It stops."}])",
          "```json\n[{\"start_time\": \"00:02.50\", \"end_time\": \"00:04.00\", \"description\": "
          "\"A dog "
          "runs.\"},\n{\"start_time\": \"00:04\", \"end_time\": \"00:06\", \"description\": \"It "
          "stops.\"}]\n```",
          "```\n[{\"start\":\"2.5s\",\"end\":\"4s\",\"text\":\" A dog runs. "
          "\"},{\"start\":4,\"end\":6,\"text\":\"It stops.\"}]\n```",
          R"({"events": [{"start_s": 2.5, "end_s": 4, "event": "A dog runs."}, {"start_s": 4, "end_s": 6, "event": "It stops."}]})",
          R"([{"timestamp": "0:02.5 - 0:04", "caption": "A dog runs."}, {"timestamp": [4, 6], "caption": "It stops."}])",
      }) {
    const auto said = parse(answer);
    ASSERT_TRUE(said.has_value()) << answer;
    EXPECT_THAT(said->events,
                ElementsAre(SaidEvent{2.5, 4, "A dog runs."}, SaidEvent{4, 6, "It stops."}))
        << answer;
  }
  const auto one = parse("Here it is:\n```json\n{\"start\": 1, \"end\": 2, \"label\": \"x\"}\n```");
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->opening, "Here it is:");
  EXPECT_THAT(one->events, ElementsAre(SaidEvent{1, 2, "x"}));
}

TEST(JsonEvents, SegmentsNeedNoWords) {
  for (const char* answer :
       {R"([{"start": 1, "end": 2}, {"start": 3, "end": 4, "label": "dog"}])", "[[1, 2], [3, 4]]",
        R"({"timestamps": [[1, 2], ["0:03", "4 s"]]})", R"({"segments": [[1,2],[3,4]]})"}) {
    const auto said = parse(answer, GroundingTask::segments);
    ASSERT_TRUE(said.has_value()) << answer;
    EXPECT_THAT(said->events, ElementsAre(SaidEvent{1, 2, ""}, SaidEvent{3, 4, ""})) << answer;
  }
}

TEST(JsonEvents, AnEmptyListIsNoEvent) {
  for (const char* answer : {"[]", "```json\n[]\n```", "```json []```", R"({"events": []})"}) {
    ASSERT_TRUE(parse(answer).has_value()) << answer;
    EXPECT_TRUE(parse(answer)->events.empty());
  }
}

TEST(JsonEvents, OtherAnswersAreLeftAlone) {
  for (const char* answer : {"", "A dog.", "[2.5-4.0] A dog.", "[0:05] x", "```\n0:05: x\n```"})
    EXPECT_FALSE(parse(answer).has_value()) << answer;
}

TEST(JsonEvents, Refuses) {
  const auto refusal = [](std::string_view answer) { return refusal_of([&] { parse(answer); }); };
  for (const char* cut : {R"([{"start": 1, "end": 2, "label": "a)", "{", "[{]",
                          R"([{"start": 1e999}])", R"([{"start": 1, "start": 2, "end": 3}])"}) {
    EXPECT_THAT(refusal(cut), HasSubstr("model: answered with JSON that cannot be read; it said '"))
        << cut;
  }
  for (const char* wrong :
       {R"([{"label": "a"}])", R"([{"start": 1, "label": "a"}])", R"([{"start": true, "end": 2}])",
        R"([{"start": "soon", "end": "0:05", "label": "a"}])", R"({"answer": "none"})",
        R"([{"timestamp": "at 2s", "label": "a"}])", "[[1, 2]]", "[[1, 2, 3]]", R"(["a", {}])"}) {
    EXPECT_THAT(refusal(wrong), HasSubstr("answered with JSON that does not say times")) << wrong;
  }
  EXPECT_THAT(refusal(R"([{"start": 1, "end": 2}])"),
              HasSubstr("answered with a time that no event stands beside"));
}

}  // namespace
}  // namespace tarsier
