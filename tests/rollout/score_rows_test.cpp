#include "tarsier/rollout/score_rows.h"

#include <gmock/gmock.h>

#include "tarsier/base/error.h"
#include "tarsier/data/pairs/candidates.h"
#include "tarsier/judge/chat_event_judge.h"
#include "tarsier/judge/exact_caption_judge.h"
#include "tarsier/judge/exact_event_judge.h"

namespace tarsier {
namespace {

using ::testing::HasSubstr;

constexpr char kRow[] =
    R"({"messages":[{"role":"user","content":"What happens?"},{"role":"assistant","content":)"
    R"([{"type":"text","text":"WORDS","reference":"The red circle moves right. The red circle spins."}]}],)"
    R"("sampling":{"model":"m","temperature":0.7,"top_p":0.7,"max_new_tokens":9},"samples":[)"
    R"({"text":"The red circle moves right.","seed":1,"finish":"stop","corruption":null},)"
    R"({"text":"The red circle moves left. The red circle spins. The red circle grows.","seed":2,"finish":"stop","corruption":null}]})";

Row row_of(std::string text, const std::string& words = "The red circle spins.") {
  if (const std::size_t at = text.find("WORDS"); at != std::string::npos)
    text.replace(at, 5, words);
  RowText row_text;
  row_text.text = text;
  row_text.where = "rows.jsonl line 4";
  return std::get<Row>(parse_row(row_text, std::nullopt));
}

std::vector<Candidate> score(const ScoreJudges& judges, const Row& row) {
  const RowStage stage = make_score_stage(judges, {});
  Row kept = row;
  const Decision decision = stage.decide(kept, stage.examine(row));
  return parse_candidates(std::get<std::vector<Record>>(decision).at(0)).samples;
}

std::string failure(const ScoreJudges& judges, const Row& row) {
  try {
    make_score_stage(judges, {}).examine(row);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

ScoreJudges exact(bool events, bool captions) {
  ScoreJudges judges;
  if (events) judges.events = std::make_shared<ExactEventJudge>(Language::english);
  if (captions) judges.captions = std::make_shared<ExactCaptionJudge>(Language::english);
  return judges;
}

TEST(ScoreRows, EachAnswerIsHeldAgainstTheReference) {
  const std::vector<Candidate> scored = score(exact(true, true), row_of(kRow));
  ASSERT_EQ(scored.size(), 2u);
  EXPECT_EQ(scored[0].score->recall, (EventShare{1, 2}));
  EXPECT_EQ(scored[0].score->precision, (EventShare{1, 1}));
  EXPECT_EQ(scored[0].score->errors, (EventErrors{1, 0, 0, 2}));
  EXPECT_EQ(scored[1].score->recall, (EventShare{1, 2}));
  EXPECT_EQ(scored[1].score->precision, (EventShare{1, 3}));
  EXPECT_EQ(scored[1].score->errors, (EventErrors{1, 0, 2, 2}));
  EXPECT_FALSE(scored[1].score->judge.empty());
}

TEST(ScoreRows, OneMetricAlone) {
  const std::vector<Candidate> scored = score(exact(true, false), row_of(kRow));
  EXPECT_TRUE(scored[0].score->recall.has_value());
  EXPECT_FALSE(scored[0].score->errors.has_value());
  EXPECT_THAT(failure(exact(false, true), row_of(kRow)),
              HasSubstr("rows.jsonl line 4: extra_info.events: is missing"));
}

TEST(ScoreRows, WithoutAReferenceTheWordsAreTheTruth) {
  std::string text = kRow;
  const std::string reference =
      R"(,"reference":"The red circle moves right. The red circle spins.")";
  text.erase(text.find(reference), reference.size());
  const std::vector<Candidate> scored = score(exact(true, false), row_of(text));
  EXPECT_EQ(scored[0].score->recall, (EventShare{0, 1}));
  EXPECT_THAT(failure(exact(true, false), row_of(text, "")),
              HasSubstr("rows.jsonl line 4: has no true answer to score against"));
}

// A judge whose every answer is of no use.
class Babbler : public ChatJudge {
 public:
  Outcome<std::string> complete(const JudgeRequest&, std::stop_token) override { return "hm"; }
  std::string id() const override { return "babbler"; }
};

TEST(ScoreRows, AJudgeThatFailsIsNoScore) {
  ScoreJudges judges;
  judges.events = std::make_shared<ChatEventJudge>(std::make_shared<Babbler>());
  EXPECT_THAT(failure(judges, row_of(kRow)), HasSubstr("rows.jsonl line 4: has no score: "));
  std::string bare = kRow;
  bare.replace(bare.find("\"samples\":["), 11, "\"other\":[");
  EXPECT_THAT(failure(judges, row_of(bare)),
              HasSubstr("rows.jsonl line 4: has no samples; run data sample first"));
}

}  // namespace
}  // namespace tarsier
