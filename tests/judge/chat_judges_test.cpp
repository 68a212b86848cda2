// AutoDQ's and the caption metric's questions, asked of a scripted model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/judge/autodq.h"
#include "tarsier/judge/autodq_prompts.h"
#include "tarsier/judge/caption_prompts.h"
#include "tarsier/judge/chat_caption_judge.h"
#include "tarsier/judge/chat_event_judge.h"
#include "tarsier/judge/scripted_judge.h"

namespace tarsier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Answer = Outcome<std::string>;

/// Gives its answers in order and keeps the requests.
class Script {
 public:
  explicit Script(std::vector<Answer> answers) : answers_(std::move(answers)) {}
  std::shared_ptr<ScriptedJudge> judge() {
    return std::make_shared<ScriptedJudge>([this](const JudgeRequest& request) -> Answer {
      requests.push_back(request);
      if (requests.size() <= answers_.size()) return answers_[requests.size() - 1];
      return answers_.back();
    });
  }
  std::vector<JudgeRequest> requests;

 private:
  std::vector<Answer> answers_;
};

std::string labels(std::initializer_list<const char*> words) {
  nlohmann::json list = nlohmann::json::array();
  for (const char* word : words) list.push_back({{"event", "x"}, {"relationship", word}});
  return nlohmann::json{{"events", list}}.dump();
}

TEST(ChatEventJudge, AsksInLowerCaseWithoutDoubleQuotes) {
  Script script({"{'events': ['a dog runs']}"});
  ChatEventJudge judge(script.judge());
  const auto result = judge.extract("A Dog says \"WOOF\".\n\xC3\x89T\xC3\x89!", {});
  EXPECT_THAT(std::get<Extraction>(result).events, ElementsAre("a dog runs"));
  ASSERT_EQ(script.requests.size(), 1u);
  EXPECT_THAT(script.requests[0].user, HasSubstr("a dog says 'woof'.\n\xC3\xA9t\xC3\xA9!"));
  EXPECT_FALSE(script.requests[0].params.temperature) << "the API's default";
}

TEST(ChatEventJudge, AsksUpToTenTimes) {
  std::vector<Answer> answers(9, "no idea");
  answers[3] = ErrorNote{"api", "HTTP 500", ""};
  answers.emplace_back(labels({"entailment"}));
  Script script(answers);
  ChatEventJudge judge(script.judge());
  EXPECT_THAT(std::get<std::vector<EventLabel>>(judge.label({"a"}, "p", "", {})),
              ElementsAre(EventLabel::entailment));
  ASSERT_EQ(script.requests.size(), 10u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(script.requests[static_cast<std::size_t>(i)].attempt, i);

  Script never({"no idea"});
  ChatEventJudge other(never.judge());
  const auto result = other.label({"a"}, "p", "", {});
  EXPECT_THAT(std::get<ErrorNote>(result).text(),
              HasSubstr("scripted: gave no usable answer in 10 attempts, at last: judge's answer"));
  EXPECT_EQ(never.requests.size(), 10u);
}

TEST(ChatEventJudge, GivenEventsKeepTheirCaseAndPremisesDoNot) {
  Script script({labels({"neutral", "Entailment"})});
  ChatEventJudge judge(script.judge());
  judge.label({"A \"Dog\" runs", "It barks"}, "The DOG", "", {});
  EXPECT_THAT(script.requests[0].user, HasSubstr(R"(["A \"Dog\" runs","It barks"])"));
  EXPECT_THAT(script.requests[0].user, HasSubstr("\nthe dog\n"));
}

// No events: the text without them is asked about as one, and the side counts once that is read.
TEST(ChatEventJudge, WithoutEventsOneJudgementMustCome) {
  Script script({labels({"entailment", "neutral"}), labels({"contradiction"})});
  ChatEventJudge judge(script.judge());
  EXPECT_THAT(std::get<std::vector<EventLabel>>(judge.label({}, "p", "Nothing\nMoves", {})),
              IsEmpty());
  EXPECT_EQ(script.requests.size(), 2u) << "two labels for no event are refused";
  EXPECT_THAT(script.requests[0].user, HasSubstr(R"(["nothing moves"])"));
  Script never({labels({})});
  ChatEventJudge other(never.judge());
  EXPECT_TRUE(std::holds_alternative<ErrorNote>(other.label({}, "p", "x", {})));
}

TEST(ChatEventJudge, StopsAtOnce) {
  std::stop_source stop;
  Script script({"no idea"});
  const auto inner = script.judge();
  const auto judge = std::make_shared<ScriptedJudge>([&](const JudgeRequest& request) -> Answer {
    stop.request_stop();
    return inner->complete(request, {});
  });
  ChatEventJudge events(judge);
  EXPECT_EQ(std::get<ErrorNote>(events.extract("a", stop.get_token())).what, "was stopped");
  EXPECT_EQ(judge->calls(), 1);
}

TEST(ChatEventJudge, RefusesTextThatIsNotUtf8) {
  Script script({"{}"});
  ChatEventJudge judge(script.judge());
  EXPECT_THROW(judge.extract("\xFF", {}), InputError);
  EXPECT_THROW(judge.label({"\xFF"}, "p", "", {}), InputError);
  EXPECT_THAT(script.requests, IsEmpty());
}

TEST(AutoDqScore, CountsEntailmentOnlyOnBothSides) {
  Script script({
      "{'events': ['h1', 'h2', 'h3']}",  // of the prediction; the reference's are given
      labels({"entailment", "entailment", "neutral", "contradiction"}),
      labels({"entailment", "neutral", "entailment"}),
  });
  ChatEventJudge judge(script.judge());
  const auto outcome = autodq_score(judge, "REF", "HYP", std::vector<std::string>(4, "g"));
  const auto& score = std::get<AutoDqScore>(outcome);
  EXPECT_EQ(score.recall, (HitCount{2, 4}));
  EXPECT_EQ(score.precision, (HitCount{2, 3}));
  EXPECT_DOUBLE_EQ(score.precision.share(), 2.0 / 3);
  EXPECT_EQ(score.predicted_events[1], (LabelledEvent{"h2", EventLabel::neutral}));
  EXPECT_EQ(score.reference_events.size(), 4u);
  ASSERT_EQ(script.requests.size(), 3u);
  EXPECT_THAT(script.requests[1].user, HasSubstr("\nhyp\n")) << "recall is by the prediction";
  EXPECT_THAT(script.requests[2].user, HasSubstr("\nref\n"));
}

TEST(AutoDqScore, TakesTheReferencesEventsWhereNoneAreGiven) {
  Script script({"{'events': ['g']}", "{'events': []}", labels({"neutral"}), labels({"neutral"})});
  ChatEventJudge judge(script.judge());
  const auto outcome = autodq_score(judge, "ref", "hyp");
  const auto& score = std::get<AutoDqScore>(outcome);
  EXPECT_EQ(score.recall, (HitCount{0, 1}));
  EXPECT_EQ(score.precision, (HitCount{0, 0}));
  EXPECT_EQ(score.precision.share(), 1) << "no event told: whatever the one judgement was";
  EXPECT_THAT(script.requests[3].user, HasSubstr(R"(["hyp"])"));
}

TEST(AutoDqScore, FailsWholly) {
  for (std::size_t fails = 0; fails < 4; ++fails) {
    std::vector<Answer> answers = {"{'events': ['g']}", "{'events': ['h']}", labels({"neutral"}),
                                   labels({"neutral"})};
    answers.resize(fails);
    answers.emplace_back("no idea");
    Script script(answers);
    ChatEventJudge judge(script.judge());
    EXPECT_TRUE(std::holds_alternative<ErrorNote>(autodq_score(judge, "r", "h"))) << fails;
    EXPECT_EQ(script.requests.size(), fails + 10);
  }
}

TEST(ChatCaptionJudge, AsksWithUpstreamsParameters) {
  Script script(
      {"Missed: 1 Incorrect: 0 Hallucination: 2 Missed Events: [\"a\"] Incorrect Events: "
       "[] Hallucination Events: [\"x\", \"y\"]",
       "Missed: 1 Correct: 1 Incorrect: 0 Hallucination: 2"});
  ChatCaptionJudge judge(script.judge());
  const auto lists = judge.judge({"a", "b"}, "Cap", {CaptionForm::lists, 2024}, {});
  EXPECT_EQ(std::get<CaptionErrors>(lists).errors(), 3);
  const auto counts = judge.judge({"a", "b"}, "Cap", {CaptionForm::counts, 2025}, {});
  EXPECT_EQ(std::get<CaptionErrors>(counts).hallucinated, 2);
  ASSERT_EQ(script.requests.size(), 2u);
  for (const JudgeRequest& request : script.requests) {
    EXPECT_EQ(request.params.temperature, 0);
    EXPECT_EQ(request.params.top_p, 0.1);
    EXPECT_THAT(request.user, HasSubstr("The video has 2 events:\n[\"a\",\"b\"]"));
    EXPECT_THAT(request.user, HasSubstr("\nCap\n")) << "captions keep their case";
  }
  EXPECT_EQ(script.requests[1].params.seed, 2025);
  EXPECT_THAT(script.requests[0].user, Not(HasSubstr("add up")));
}

// A change of the words is a change of the judge: raise the version's number with it.
TEST(Prompts, TheirVersionsAreKnown) {
  EXPECT_EQ(autodq_prompt().text(), "autodq 1 a290253db0e0");
  EXPECT_EQ(caption_prompt().text(), "caption 1 ce838a18980c");
}

}  // namespace
}  // namespace tarsier
