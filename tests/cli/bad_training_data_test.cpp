// Rows of training data that cannot be used, through the program (reliability T8): counted, named
// by file and line, never replaced, and too many stop the run.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/training_run.h"

namespace tarsier {
namespace {

using test::bytes_of;
using test::TrainingRun;
using test::whole_metrics_of;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

nlohmann::json turn(const std::string& role, nlohmann::json content) {
  return {{"role", role}, {"content", std::move(content)}};
}

nlohmann::json text_item(const std::string& text) { return {{"type", "text"}, {"text", text}}; }

nlohmann::json row(const std::string& video, const std::string& question,
                   const std::string& answer) {
  return {{"messages",
           {turn("user",
                 {{{"type", "video"}, {"video", {{"video_file", video}}}}, text_item(question)}),
            turn("assistant", nlohmann::json::array({text_item(answer)}))}}};
}

struct BadRow {
  std::string name;
  std::string text;     // of its line
  std::string message;  // behind "rows.jsonl line 2: "
  int exit_code;  // without --max-bad: what is found in the text ends the run before it starts
};

/// Two rows in three can be used: line 2 is the bad one.
class BadTrainingData : public ::testing::TestWithParam<int> {
 protected:
  static void SetUpTestSuite() {
    clips_ = new ScratchFolder;
    const std::string folder = clips_->path() / "clips";
    const ProgramResult written =
        run_tarsier({"data", "synth", "--level", "easy", "--clips", "2", "--out", folder});
    ASSERT_EQ(written.exit_code, 0) << written.err;
    const std::string whole = bytes_of(fs::path(folder) / "000000.mp4");
    std::ofstream(fs::path(folder) / "cut.mp4", std::ios::binary)
        << whole.substr(0, whole.size() / 2);
  }
  static void TearDownTestSuite() {
    delete clips_;
    clips_ = nullptr;
  }

  static std::string clip(const std::string& name) { return clips_->path() / "clips" / name; }

  static ScratchFolder* clips_;
};

ScratchFolder* BadTrainingData::clips_ = nullptr;

std::vector<BadRow> bad_rows(const std::string& good_clip, const std::string& cut_clip) {
  std::string words;
  for (int i = 0; i < 3000; ++i) words += "red circle ";
  nlohmann::json swapped = row(good_clip, "Describe.", "red");
  swapped["messages"] = {swapped["messages"][1], swapped["messages"][0]};
  nlohmann::json sound = row(good_clip, "Describe.", "red");
  sound["messages"][0]["content"][0] = {{"type", "audio"}, {"audio", {{"audio_file", "a.wav"}}}};
  return {
      {"missing_file", row("none.mp4", "Describe.", "red").dump(), "none.mp4", 5},
      {"cut_video", row(cut_clip, "Describe.", "red").dump(), "cut.mp4", 5},
      {"over_long", row(good_clip, "Describe.", words).dump(), "the model takes at most 2048", 5},
      {"empty_answer", row(good_clip, "Describe.", "").dump(),
       "turns[1]: has an empty answer; remove the row or give it an answer", 2},
      {"wrong_roles", swapped.dump(), "turns[0]: is the assistant's, expected the user's", 2},
      {"media_mark", row(good_clip, "<video>Describe.", "red").dump(),
       "turns[0]: has <video> in its words", 2},
      {"media_token", row(good_clip, "Describe.", "red <|video_pad|>").dump(),
       "turns[1]: has <|video_pad|> in its words", 2},
      {"unknown_media", sound.dump(), "messages[0].content[0].type: is 'audio'", 2},
      {"torn_line", row(good_clip, "Describe.", "red").dump().substr(0, 60), "is not valid JSON",
       2},
      {"not_text", "{\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}", "", 2},
  };
}

TEST_P(BadTrainingData, IsNamedCountedAndNeverReplaced) {
  const BadRow bad =
      bad_rows(clip("000000.mp4"), clip("cut.mp4")).at(static_cast<std::size_t>(GetParam()));
  SCOPED_TRACE(bad.name);
  const TrainingRun training([](nlohmann::json& recipe) {
    recipe["stages"].erase(0);
    recipe["stages"][0].update({{"steps", 2},
                                {"clips_per_step", 3},
                                {"accumulate", 1},
                                {"objectives", {{"next_token", 1}}},
                                {"data", {{"jsonl", {{"file", "rows.jsonl"}, {"frames", 4}}}}}});
  });
  std::ofstream(training.folder() / "rows.jsonl")
      << row(clip("000000.mp4"), "Describe.", "A red circle.").dump() << "\n"
      << bad.text << "\n"
      << row(clip("000001.mp4"), "Describe.", "A blue square.").dump() << "\n";

  // A third is more than the recipe allows.
  const ProgramResult refused = run_tarsier(training.command("strict"));
  EXPECT_EQ(refused.exit_code, bad.exit_code) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("rows.jsonl line 2: "));
  EXPECT_THAT(refused.err, HasSubstr(bad.message));
  if (bad.exit_code == 5) {
    EXPECT_THAT(refused.err, HasSubstr("more than max_bad 0.001"));
  }

  // Two epochs of three rows: four samples learned, two skipped, none drawn in their place.
  const ProgramResult trained = run_tarsier(training.command("lenient", {"--max-bad", "0.4"}));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_THAT(trained.err, HasSubstr("skipped rows.jsonl line 2: "));
  EXPECT_THAT(trained.err, HasSubstr(bad.message));
  EXPECT_THAT(trained.err, Not(HasSubstr("rows.jsonl line 1:")));
  EXPECT_THAT(trained.err, Not(HasSubstr("rows.jsonl line 3:")));
  const nlohmann::json state =
      test::read(training.folder() / "lenient" / "checkpoints" / "step-00000002" / "state.json");
  EXPECT_EQ(state.at("bad_samples"), 2);
  EXPECT_EQ(state.at("good_samples"), 4);
  EXPECT_EQ(state.at("skipped"), 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, BadTrainingData, ::testing::Range(0, 10));

// Never text alone, never another clip: a step whose samples are all bad changes nothing.
TEST(BadTrainingStep, WithoutAUsableSampleIsSkippedAndSaysSo) {
  const TrainingRun training([](nlohmann::json& recipe) {
    recipe["stages"].erase(0);
    recipe["stages"][0].update({{"steps", 1},
                                {"clips_per_step", 1},
                                {"accumulate", 1},
                                {"objectives", {{"next_token", 1}}},
                                {"data", {{"jsonl", {{"file", "rows.jsonl"}}}}}});
  });
  std::ofstream(training.folder() / "rows.jsonl")
      << row("none.mp4", "Describe.", "A red circle.").dump() << "\n";
  const ProgramResult trained = run_tarsier(training.command("run", {"--max-bad", "1"}));
  EXPECT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_THAT(trained.err, HasSubstr("step 1: has no usable sample; skipped (named above)"));
}

}  // namespace
}  // namespace tarsier
