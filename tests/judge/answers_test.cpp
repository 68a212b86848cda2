// What judges answer, read strictly: evaluation.md 2.4 and 3, and answers meant to mislead.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/judge/caption_answers.h"
#include "tarsier/judge/event_answers.h"

namespace tarsier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

template <class T>
T value(const Outcome<T>& outcome) {
  if (const auto* note = std::get_if<ErrorNote>(&outcome)) {
    ADD_FAILURE() << note->text();
    return {};
  }
  return std::get<T>(outcome);
}

template <class T>
std::string refusal(const Outcome<T>& outcome) {
  const auto* note = std::get_if<ErrorNote>(&outcome);
  return note == nullptr ? "no refusal" : note->text();
}

constexpr auto E = EventLabel::entailment;
constexpr auto N = EventLabel::neutral;
constexpr auto C = EventLabel::contradiction;

TEST(EventAnswers, RepairsAsInTheWorkedExamples) {
  EXPECT_THAT(value(read_labels(R"({"events":[{"event":"a","relationship":"Entailment",}]})", 1)),
              ElementsAre(E));
  EXPECT_THAT(
      value(read_labels(
          R"("events":[{"event":"a","relationship":"neutral"} {"event":"b","relationship":"entailment"}])",
          2)),
      ElementsAre(N, E));
  EXPECT_THAT(refusal(read_labels(R"({"events":[{"event":"a","relationship":"unknown"}]})", 1)),
              HasSubstr("events[0].relationship: is none of"));
  EXPECT_THAT(refusal(read_labels(R"({"events":[{"relationship":"neutral"},
      {"relationship":"neutral"},{"relationship":"neutral"}]})",
                                  4)),
              HasSubstr("has 3 labels for 4 events"));
}

TEST(EventAnswers, LabelsInAnyCaseWithBlanks) {
  EXPECT_THAT(value(read_labels("```json\n{\"events\": [{\"relationship\": \" CONTRADICTION\\n\", "
                                "\"reason\": [Placeholder]}]}\n```",
                                1)),
              ElementsAre(C));
  EXPECT_THAT(value(read_labels(R"({"events": []})", 0)), IsEmpty());
}

TEST(EventAnswers, RefusesHostileLabels) {
  for (const char* answer :
       {"", "I cannot do that.", "[]", "{\"events\": {}}", "{\"events\": [\"entailment\"]}",
        "{\"events\": [{\"relationship\": 1}]}", "{\"events\": [{\"relationship\": null}]}",
        "{\"events\": [{\"event\": \"a\"}]}", "{\"events\": [[]]}",
        "{\"events\": [{\"relationship\": \"entailment\"}], \"events\": []}",
        "{\"events\": [{\"relationship\": \"neutral\", \"relationship\": \"entailment\"}]}",
        "{\"events\": [{\"relationship\": \"entailment\"}]} and more {}",
        "Here you are: {\"events\": [{\"relationship\": \"entailment\"}]}"})
    EXPECT_NE(refusal(read_labels(answer, 1)), "no refusal") << answer;
  EXPECT_NE(refusal(read_labels(std::string(500'000, '{'), 1)), "no refusal");
}

TEST(EventAnswers, EventsAsJsonOrLiteral) {
  EXPECT_THAT(value(read_events(R"({"events": ["A dog runs.", "It barks."]})")),
              ElementsAre("A dog runs.", "It barks."));
  EXPECT_THAT(value(read_events("```python\n{'events': ['the dog\\'s owner waves',]}\n```")),
              ElementsAre("the dog's owner waves"));
  EXPECT_THAT(value(read_events("{\"events\": []}")), IsEmpty());
  for (const char* answer :
       {"", "events: a, b", "[\"a\"]", "{\"events\": \"a\"}", "{\"events\": [1]}",
        "{\"events\": [\"a\", 2]}", "{\"events\": [\" \"]}", "{\"event\": [\"a\"]}",
        "{\"events\": [\"a\"]} {\"events\": [\"b\"]}", "{'events': ('a', 'b')}"})
    EXPECT_NE(refusal(read_events(answer)), "no refusal") << answer;
}

TEST(CaptionAnswers, ReadsCountsAndLists) {
  const CaptionErrors errors = value(read_caption_lists(
      "Sure.\nMissed: 2\nIncorrect: 1,\nHallucination: 0\nMissed Events: [\"a\", \"b\"]\n"
      "Incorrect Events: ['it\\'s red']\nHallucination Events: []\n",
      5));
  EXPECT_EQ(errors.events, 5);
  EXPECT_EQ(errors.missed, 2);
  EXPECT_EQ(errors.incorrect, 1);
  EXPECT_EQ(errors.hallucinated, 0);
  EXPECT_EQ(errors.errors(), 3);
  EXPECT_THAT(errors.missed_events, ElementsAre("a", "b"));
  EXPECT_THAT(errors.incorrect_events, ElementsAre("it's red"));
  EXPECT_THAT(errors.hallucinated_events, IsEmpty());
}

// Upstream's quirk: counts are taken as they are, whatever the lists and the events say.
TEST(CaptionAnswers, CountsOfTheMainFormNeedNotAddUp) {
  EXPECT_EQ(value(read_caption_lists("Missed: 9 Incorrect: 9 Hallucination: 9 Missed Events: [] "
                                     "Incorrect Events: [] Hallucination Events: []",
                                     2))
                .errors(),
            27);
}

TEST(CaptionAnswers, RefusesWhatIsNotInItsPlace) {
  const std::string lists = " Missed Events: [] Incorrect Events: [] Hallucination Events: []";
  for (const std::string& answer : std::vector<std::string>{
           "", "Missed: 1 Incorrect: 0 Hallucination: 0",
           "Incorrect: 0 Missed: 1 Hallucination: 0" + lists,
           "Missed: one Incorrect: 0 Hallucination: 0" + lists,
           "Missed: -1 Incorrect: 0 Hallucination: 0" + lists,
           "Missed: 1.5 Incorrect: 0 Hallucination: 0" + lists,
           "Missed: 99999999999999999999 Incorrect: 0 Hallucination: 0" + lists,
           "Missed: 9999999 Incorrect: 0 Hallucination: 0" + lists,
           "Missed: Incorrect: 0 Hallucination: 0" + lists,
           "missed: 1 incorrect: 0 hallucination: 0" + lists,
           std::string(
               "Missed: 1 Incorrect: 0 Hallucination: 0 Missed Events: [1] Incorrect Events: "
               "[] Hallucination Events: []"),
           std::string(
               "Missed: 1 Incorrect: 0 Hallucination: 0 Missed Events: none Incorrect Events: "
               "[] Hallucination Events: []")})
    EXPECT_NE(refusal(read_caption_lists(answer, 3)), "no refusal") << answer;
}

TEST(CaptionAnswers, CountsAloneMustAddUp) {
  const CaptionErrors errors =
      value(read_caption_counts("Missed: 1\nCorrect: 3\nIncorrect: 1\nHallucination: 4", 5));
  EXPECT_EQ(errors.missed, 1);
  EXPECT_EQ(errors.incorrect, 1);
  EXPECT_EQ(errors.hallucinated, 4);
  EXPECT_THAT(refusal(read_caption_counts("Missed: 1 Correct: 3 Incorrect: 1 Hallucination: 4", 6)),
              HasSubstr("add up to 5 of 6 events"));
  EXPECT_NE(refusal(read_caption_counts("Missed: 1 Incorrect: 1 Hallucination: 4", 2)),
            "no refusal");
}

}  // namespace
}  // namespace tarsier
