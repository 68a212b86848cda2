// The caption metric: the worked examples of evaluation.md 3, and how trials go.
#include "tarsier/judge/caption_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/judge/caption_clean.h"
#include "tarsier/judge/caption_input.h"
#include "tarsier/judge/caption_report.h"

namespace tarsier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string times(int count, const std::string& text) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST(CleanCaption, WorkedExamples) {
  const std::string sentence = "The quick brown fox jumps over the lazy dog near a barn.";
  ASSERT_EQ(sentence.size(), 56u);
  for (const auto& [caption, cleaned] : {
           std::pair{"a dog runs. " + times(6, "it barks. ") + "end",
                     std::string("a dog runs. it barks. end")},
           {times(6, "ha"), "ha"},
           {"soooooo good", "so good"},
           {"aaaa", "aaaa"},
           {times(4, "it barks. "), times(4, "it barks. ")},
           {times(500, "x"), "xxx"},
           {times(6, "ab\n"), times(6, "ab\n")},
           {times(4, sentence), sentence},
           {times(3, sentence), times(3, sentence)},
           {"", ""},
       })
    EXPECT_EQ(clean_caption(caption), cleaned);
}

TEST(CleanCaption, AnEndedCaptionLosesItsTokenAlone) {
  EXPECT_EQ(clean_caption("hahahahahaha<|im_end|>"), "hahahahahaha");
  EXPECT_EQ(clean_caption("a<|im_end|>b<|im_end|>"), "ab");
}

TEST(CleanCaption, CountsCharactersNotBytes) {
  EXPECT_EQ(clean_caption(times(5, "跳")), "跳");
  EXPECT_EQ(clean_caption(times(4, "跳")), times(4, "跳"));
  // 49 characters want five copies, 50 want four.
  const std::string unit49 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM";
  ASSERT_EQ(unit49.size(), 49u);
  EXPECT_EQ(clean_caption(times(4, unit49)), times(4, unit49));
  EXPECT_EQ(clean_caption(times(4, unit49 + "é")), unit49 + "é");
  EXPECT_EQ(clean_caption(times(4, unit49 + unit49 + "é")), unit49 + unit49 + "é") << "99";
  EXPECT_EQ(clean_caption(times(9, unit49 + unit49 + "éé")), times(9, unit49 + unit49 + "éé"));
  EXPECT_THROW(clean_caption("\xFF"), InputError);
}

TEST(CleanCaption, RepeatedShare) {
  EXPECT_EQ(repeated_share("a b c", 10), 0);
  EXPECT_DOUBLE_EQ(repeated_share("a b a b a b", 2), 3.0 / 5);
  EXPECT_EQ(repeated_share("a b c d", 2), 0);
}

CaptionErrors errors(std::int64_t events, std::int64_t missed, std::int64_t incorrect,
                     std::int64_t hallucinated) {
  CaptionErrors made;
  made.events = events;
  made.missed = missed;
  made.incorrect = incorrect;
  made.hallucinated = hallucinated;
  return made;
}

CaptionItem item(const std::string& id) { return {id, {"e"}, "caption of " + id}; }

TEST(CaptionRates, WorkedExample) {
  const std::vector<CaptionItem> items = {item("0"), item("1"), item("2"), item("3")};
  const std::vector<Outcome<CaptionErrors>> outcomes = {errors(12, 4, 1, 1), errors(6, 0, 2, 1),
                                                        errors(8, 3, 0, 0),
                                                        ErrorNote{"judge", "failed", ""}};
  const CaptionRates rates = caption_rates(items, outcomes);
  EXPECT_NEAR(rates.missed_rate(), .269231, 5e-7);
  EXPECT_NEAR(rates.incorrect_rate(), .115385, 5e-7);
  EXPECT_NEAR(rates.hallucinated_rate(), .076923, 5e-7);
  EXPECT_NEAR(rates.error_rate(), .461538, 5e-7);
  EXPECT_EQ(rates.scored, 3);
  EXPECT_EQ(rates.failed, 1);
  CaptionResult result;
  result.trials.push_back({outcomes, rates});
  const auto json = nlohmann::json::parse(caption_scores_json(items, result, {}, {}));
  EXPECT_NEAR(json.at("paper").at("hall_percent").get<double>(), 19.2308, 5e-5);
  EXPECT_NEAR(json.at("paper").at("total_percent").get<double>(), 46.1538, 5e-5);
  EXPECT_EQ(json.at("failures").at(0).at("id"), "3");
  EXPECT_EQ(json.at("n_failed"), 1);
  EXPECT_THAT(caption_text(result, {"j", {"caption 1", ""}, "", 0}),
              HasSubstr("trial 1 of 1\nMiss% | Hall% | Total% |"));
  EXPECT_THAT(caption_text(result, {}), HasSubstr("\n 26.9 |  19.2 |   46.2 |       11.5 |"));
}

TEST(CaptionRates, MedianTrial) {
  EXPECT_EQ(median_trial(std::vector<double>{.33, .41, .35, .36, .39, .34, .37}), 3u);
  EXPECT_EQ(median_trial(std::vector<double>{.5}), 0u);
  EXPECT_EQ(median_trial(std::vector<double>{.5, .5, .5}), 1u);
}

TEST(CaptionRates, NothingIsUndefined) {
  const CaptionRates rates = caption_rates({}, {});
  EXPECT_TRUE(rates.undefined);
  EXPECT_EQ(rates.error_rate(), 0);
}

struct Asked {
  std::string caption;
  CaptionForm form;
  std::int64_t seed;
  bool operator==(const Asked&) const = default;
};

/// Answers as a function of the caption and the seed.
class FakeJudge : public CaptionJudge {
 public:
  using Script = std::function<Outcome<CaptionErrors>(const Asked&)>;
  explicit FakeJudge(Script script) : script_(std::move(script)) {}
  Outcome<CaptionErrors> judge(const std::vector<std::string>&, const std::string& caption,
                               const CaptionQuestion& question, std::stop_token) override {
    asked.push_back({caption, question.form, question.seed});
    return script_(asked.back());
  }
  std::string id() const override { return "fake"; }
  PromptVersion prompt() const override { return {"none", ""}; }
  std::vector<Asked> asked;

 private:
  Script script_;
};

const ForEach kHere = [](std::size_t count, const std::function<void(std::size_t)>& work) {
  for (std::size_t i = 0; i < count; ++i) work(i);
};

TEST(ScoreCaptions, AsksAgainOnlyAboutWhatFailed) {
  const std::vector<CaptionItem> items = {
      item("good"), item("late"), item("bad"), {"silent.mp4", {"e"}, std::nullopt}};
  FakeJudge judge([](const Asked& asked) -> Outcome<CaptionErrors> {
    if (asked.caption == "caption of good") return errors(4, 1, 0, 0);
    if (asked.caption == "caption of late" && asked.form == CaptionForm::counts)
      return errors(4, 2, 0, 0);
    return ErrorNote{"fake", "no", ""};
  });
  CaptionSchedule schedule;
  schedule.trials = 1;
  const CaptionResult result = score_captions(judge, items, schedule, kHere, {});
  // 1 + 8 passes for lists, of which the first asks about three; then counts about two, two times
  // about the one that is left.
  ASSERT_EQ(judge.asked.size(), 3u + 8 * 2 + 2 + 2);
  EXPECT_EQ(judge.asked[0], (Asked{"caption of good", CaptionForm::lists, 2024}));
  EXPECT_EQ(judge.asked[3], (Asked{"caption of late", CaptionForm::lists, 2025}));
  EXPECT_EQ(judge.asked[19], (Asked{"caption of late", CaptionForm::counts, 2033}));
  EXPECT_EQ(judge.asked.back(), (Asked{"caption of bad", CaptionForm::counts, 2035}));
  const CaptionRates& rates = result.reported().rates;
  EXPECT_EQ(rates.events, 8);
  EXPECT_EQ(rates.missed, 3);
  EXPECT_EQ(rates.failed, 1);
  EXPECT_EQ(rates.scored, 2) << "the one without a prediction is neither";
  const auto json = nlohmann::json::parse(caption_item_json(items, result, 3));
  EXPECT_EQ(json.at("status"), "no_prediction");
  EXPECT_EQ(nlohmann::json::parse(caption_item_json(items, result, 2)).at("status"), "failed");
  EXPECT_EQ(nlohmann::json::parse(caption_item_json(items, result, 1)).at("missed"), 2);
}

TEST(ScoreCaptions, SeedsGoOnFromTrialToTrialAndTheMedianIsReported) {
  const std::vector<CaptionItem> items = {item("0")};
  FakeJudge judge([](const Asked& asked) -> Outcome<CaptionErrors> {
    if (asked.seed == 2025) return ErrorNote{"fake", "no", ""};
    return errors(10, asked.seed == 2026 ? 9 : asked.seed - 2020, 0, 0);
  });
  CaptionSchedule schedule;
  schedule.trials = 3;
  const CaptionResult result = score_captions(judge, items, schedule, kHere, {});
  ASSERT_EQ(judge.asked.size(), 4u);  // 2024; 2025 and again 2026; 2027
  EXPECT_EQ(judge.asked.back().seed, 2027);
  EXPECT_EQ(result.median, 2u);  // of .4, .9, .7
  EXPECT_DOUBLE_EQ(result.reported().rates.error_rate(), .7);
}

TEST(ScoreCaptions, CleansBeforeItAsks) {
  FakeJudge judge([](const Asked&) -> Outcome<CaptionErrors> { return errors(1, 0, 0, 0); });
  EXPECT_EQ(std::get<CaptionErrors>(caption_errors(judge, {"e"}, "hahahahahaha")).events, 1);
  EXPECT_EQ(judge.asked.at(0).caption, "ha");
  EXPECT_TRUE(std::holds_alternative<ErrorNote>(caption_errors(judge, {"e"}, "\xFF")));
}

TEST(ScoreCaptions, AWrongItemFailsAloneAndAWrongScheduleIsRefused) {
  FakeJudge judge([](const Asked& asked) -> Outcome<CaptionErrors> {
    if (asked.caption == "caption of 0") throw InputError({"cache", "holds no answer", ""});
    return errors(1, 0, 0, 0);
  });
  const std::vector<CaptionItem> items = {item("0"), item("1")};
  CaptionSchedule schedule;
  schedule.trials = 1;
  const CaptionResult result = score_captions(judge, items, schedule, kHere, {});
  EXPECT_EQ(std::get<ErrorNote>(result.reported().outcomes[0]).what, "holds no answer");
  EXPECT_EQ(result.reported().rates.scored, 1);
  for (const std::int64_t trials : {0, 2, -1}) {
    schedule.trials = trials;
    EXPECT_THROW(score_captions(judge, items, schedule, kHere, {}), ConfigError);
  }
}

TEST(ScoreCaptions, AStopLeavesNoResult) {
  std::stop_source stop;
  FakeJudge judge([&](const Asked&) -> Outcome<CaptionErrors> {
    stop.request_stop();
    return errors(1, 0, 0, 0);
  });
  const std::vector<CaptionItem> items = {item("0"), item("1")};
  EXPECT_TRUE(score_captions(judge, items, {}, kHere, stop.get_token()).trials.empty());
  EXPECT_EQ(std::get<ErrorNote>(caption_errors(judge, {"e"}, "x", {}, stop.get_token())).what,
            "was stopped");
}

TEST(CaptionInput, ReadsTheTestSetsRows) {
  const auto row = [](const char* text) { return parse_json(text, "row 1", JsonOwner::input); };
  const VideoEvents events =
      parse_video_events(row(R"({"video": "0.mp4", "events": ["a", "b"], "more": 1})"));
  EXPECT_EQ(events.video, "0.mp4");
  EXPECT_THAT(events.events, ElementsAre("a", "b"));
  for (const char* text : {R"({"id": ["0.mp4"], "pred": "x"})", R"({"id": "0.mp4", "pred": "x"})",
                           R"({"id": ["0.mp4"], "pred": ["x", "y"]})"}) {
    EXPECT_EQ(parse_video_prediction(row(text)).video, "0.mp4");
    EXPECT_EQ(parse_video_prediction(row(text)).caption, "x");
  }
  for (const char* text : {R"({"id": [], "pred": "x"})", R"({"id": ["0", "1"], "pred": "x"})",
                           R"({"id": "0", "pred": []})", R"({"id": "0"})", R"({"pred": "x"})",
                           R"({"id": "0", "pred": 1})"})
    EXPECT_THROW(parse_video_prediction(row(text)), InputError) << text;
  EXPECT_THROW(parse_video_events(row(R"({"video": "0.mp4", "events": "a"})")), InputError);
  EXPECT_THROW(parse_video_events(row(R"({"video": "0.mp4", "events": [1]})")), InputError);
}

}  // namespace
}  // namespace tarsier
