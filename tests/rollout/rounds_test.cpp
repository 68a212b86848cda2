#include "tarsier/rollout/rounds.h"

#include <gmock/gmock.h>

#include <thread>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/weights_hash.h"
#include "tarsier/judge/exact_caption_judge.h"
#include "tarsier/judge/exact_event_judge.h"
#include "tarsier/models/registry.h"
#include "tarsier/rollout/row_slice.h"
#include "tests/data/small_videos.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Counts words the truth has and the caption lacks, and the other way round: random weights say
// something different each time, and some of it is better.
class WordJudge : public CaptionJudge {
 public:
  Outcome<CaptionErrors> judge(const std::vector<std::string>& events, const std::string& caption,
                               const CaptionQuestion&, std::stop_token) override {
    CaptionErrors errors;
    errors.events = static_cast<std::int64_t>(events.size());
    errors.missed = static_cast<std::int64_t>(caption.size() % 3);
    errors.hallucinated = static_cast<std::int64_t>(caption.size() % 5);
    return errors;
  }
  std::string id() const override { return "words"; }
  PromptVersion prompt() const override { return {"words 1", ""}; }
};

constexpr const char* kAnswers[] = {"It moves.", "The red circle moves left.", "It grows.",
                                    "A star spins.", "The big blue ring moves up and grows."};

class RoundsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    set_log_sink([this](LogLevel, std::string_view line) { log_ += std::string(line) + "\n"; });
    folder_ = test::fresh_folder("rounds");
    fs::create_directories(folder_ / "bare");
    std::ofstream rows(folder_ / "rows.jsonl");
    for (int i = 0; i < 5; ++i) {
      const std::string name = "clip" + std::to_string(i) + ".mp4";
      testing::write_video(folder_ / name,
                           {.scenes = {static_cast<std::uint64_t>(i + 1)}, .seconds = 1});
      rows << nlohmann::json{{"messages",
                              {{{"role", "user"},
                                {"content",
                                 {{{"type", "video"}, {"video", {{"video_file", name}}}},
                                  {{"type", "text"}, {"text", "What happens?"}}}}},
                               {{"role", "assistant"}, {"content", kAnswers[i]}}}},
                             {"extra_info", {{"events", {"one", "two"}}}}}
                  .dump()
           << "\n";
    }
    rows.close();
    fs::copy(teach_to_stop(), folder_ / "model");
  }

  // A model whose answers end.
  fs::path teach_to_stop() const {
    const fs::path file = test::write_recipe(
        folder_ / "bare", test::make_tiny_model(folder_ / "bare"), [&](nlohmann::json& recipe) {
          recipe["stages"] = {
              {{"name", "speak"},
               {"steps", 40},
               {"clips_per_step", 5},
               {"warmup_steps", 1},
               {"peak_rate", 1e-2},
               {"data",
                {{"jsonl", {{"file", (folder_ / "rows.jsonl").string()}, {"frames", 2}}}}}}};
        });
    train(read_recipe(file), {folder_ / "taught"});
    return folder_ / "taught" / "model";
  }
  void TearDown() override { set_log_sink({}); }

  RoundsRecipe recipe(const std::vector<std::string>& overrides = {}) const {
    const nlohmann::json json = {{"model", "model"},
                                 {"rows", "rows.jsonl"},
                                 {"rounds", 3},
                                 {"rows_per_round", 4},
                                 {"sample",
                                  {{"intact", 4},
                                   {"temperature", 1.0},
                                   {"top_p", 1.0},
                                   {"max_new_tokens", 40},
                                   {"frames", 2}}},
                                 {"pairs", {{"min_gap", 0.5}}},
                                 {"train",
                                  {{"compute", "f32"},
                                   {"export_dtype", "f32"},
                                   {"adapter", {{"rank", 2}}},
                                   {"save_every", 1},
                                   {"stages",
                                    {{{"name", "gdpo"},
                                      {"steps", 2},
                                      {"clips_per_step", 2},
                                      {"warmup_steps", 0},
                                      {"preference", {{"truth_nll", 0.1}}},
                                      {"data", {{"jsonl", {{"frames", 2}}}}}}}}}}};
    std::ofstream(folder_ / "rounds.jsonc") << "// rounds\n" << json.dump(1);
    return read_rounds_recipe(folder_ / "rounds.jsonc", overrides);
  }
  RoundsOptions options(const std::string& out) const {
    RoundsOptions options;
    options.out = folder_ / out;
    options.judges.captions = std::make_shared<WordJudge>();
    return options;
  }
  std::string refusal(const std::string& setting) const {
    try {
      recipe({setting});
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no error";
  }

  fs::path folder_;
  std::string log_;
};

TEST_F(RoundsTest, EachRoundBeginsWithWhatTheOneBeforeEndedWith) {
  ASSERT_EQ(run_rounds(recipe(), options("out")), TrainOutcome::finished) << log_;
  std::string before = weights_sha256(folder_ / "model");
  for (std::int64_t round = 0; round <= 3; ++round) {
    const auto lineage = read_lineage(folder_ / "out" / ("round_0" + std::to_string(round)));
    ASSERT_TRUE(lineage.has_value());
    EXPECT_EQ(lineage->round, round);
    EXPECT_EQ(lineage->policy, before);
    EXPECT_EQ(lineage->reference, before);
    EXPECT_EQ(lineage->model == before, round == 0);
    EXPECT_EQ(lineage->pair_count > 0, round > 0);
    before = lineage->model;
  }
  EXPECT_EQ(weights_sha256(folder_ / "out" / "model"), before);
  EXPECT_TRUE(fs::exists(folder_ / "out" / "round_02" / "run" / "adapter" / "adapter_config.json"));
}

TEST_F(RoundsTest, StoppedAnywhereItEndsWithTheSameWeights) {
  ASSERT_EQ(run_rounds(recipe(), options("whole")), TrainOutcome::finished);
  int parts = 0;
  for (TrainOutcome outcome = TrainOutcome::stopped; outcome == TrainOutcome::stopped; ++parts) {
    ASSERT_LT(parts, 200);
    std::stop_source stop;
    RoundsOptions part = options("parts");
    part.stop = stop.get_token();
    // Deeper into the run each time.
    std::jthread timer([&stop, parts] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20 * parts));
      stop.request_stop();
    });
    outcome = run_rounds(recipe(), part);
  }
  EXPECT_GT(parts, 1);
  for (const char* round : {"round_01", "round_02", "round_03"}) {
    const auto whole = read_lineage(folder_ / "whole" / round),
               in_parts = read_lineage(folder_ / "parts" / round);
    EXPECT_EQ(whole->model, in_parts->model);
    EXPECT_EQ(whole->pairs, in_parts->pairs);
  }
}

TEST_F(RoundsTest, AFinishedRunMayBeGivenMoreRounds) {
  ASSERT_EQ(run_rounds(recipe({"rounds=1"}), options("grown")), TrainOutcome::finished);
  ASSERT_EQ(run_rounds(recipe({"rounds=2"}), options("grown")), TrainOutcome::finished);
  ASSERT_EQ(run_rounds(recipe({"rounds=2"}), options("whole")), TrainOutcome::finished);
  EXPECT_EQ(weights_sha256(folder_ / "grown" / "model"),
            weights_sha256(folder_ / "whole" / "model"));
}

TEST_F(RoundsTest, StopsWhenErrorsNoLongerFall) {
  const RoundsRecipe demanding = recipe({"validation=\"rows.jsonl\"", "min_gain=50"});
  ASSERT_EQ(run_rounds(demanding, options("out")), TrainOutcome::finished);
  EXPECT_TRUE(read_lineage(folder_ / "out" / "round_01").has_value());
  EXPECT_FALSE(fs::exists(folder_ / "out" / "round_02"));
  EXPECT_THAT(log_, HasSubstr(": the last"));
  const auto first = read_lineage(folder_ / "out" / "round_00");
  const auto second = read_lineage(folder_ / "out" / "round_01");
  const bool better = *second->error < *first->error;
  EXPECT_EQ(weights_sha256(folder_ / "out" / "model"), better ? second->model : first->model);
}

TEST_F(RoundsTest, AnotherRecipeOrAChangedModelIsRefused) {
  ASSERT_EQ(run_rounds(recipe({"rounds=1"}), options("out")), TrainOutcome::finished);
  try {
    run_rounds(recipe({"sample.top_p=0.9"}), options("out"));
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("holds rounds of another recipe or judge"));
  }
  ASSERT_EQ(run_rounds(recipe({"rounds=2"}), options("two")), TrainOutcome::finished);
  fs::remove_all(folder_ / "two" / "round_02");
  fs::remove(folder_ / "two" / "round_01" / "run" / "model" / "model.safetensors");
  fs::copy_file(folder_ / "model" / "model.safetensors",
                folder_ / "two" / "round_01" / "run" / "model" / "model.safetensors");
  try {
    run_rounds(recipe({"rounds=2"}), options("two"));
    FAIL();
  } catch (const CheckpointError& error) {
    EXPECT_THAT(error.what(), HasSubstr("is not what the round before ended with"));
  }
}

TEST_F(RoundsTest, RecipesThatDoNotFitAreRefused) {
  EXPECT_THAT(refusal("rows_a_round=4"), HasSubstr("rows_a_round: is not a setting"));
  EXPECT_THAT(refusal("min_gain=0.1"), HasSubstr("min_gain: stands without validation"));
  EXPECT_THAT(refusal("pairs.source=\"corrupted\""),
              HasSubstr("takes rejected answers from corrupted videos and corrupts none"));
  EXPECT_THAT(refusal("train.model=\"x\""), HasSubstr("train.model: is given; leave it out"));
  EXPECT_THAT(refusal("train.stages=[]"), HasSubstr("train.stages: is not one stage"));
  EXPECT_THAT(refusal("train.stages=[{\"name\":\"x\"}]"),
              HasSubstr("train.stages: has no \"preference\""));
  EXPECT_THAT(refusal("corrupt={\"kinds\":[\"blur\"]}"), HasSubstr("is no corruption"));
  EXPECT_EQ(recipe({"pairs.min_gap=0.3"}).pairs.min_gap, Fraction(3, 10));
}

TEST_F(RoundsTest, ShippedRecipesAreWhole) {
  for (const auto& entry :
       fs::directory_iterator(fs::path(TARSIER_SOURCE_DIR) / "recipes" / "rounds")) {
    const RoundsRecipe shipped = read_rounds_recipe(entry.path());
    EXPECT_TRUE(fs::exists(shipped.model)) << entry.path();
    std::ofstream(folder_ / "round.jsonc")
        << round_training(shipped, 2, (folder_ / "model").string(), "pairs.jsonl");
    const Recipe training = read_recipe(folder_ / "round.jsonc");
    EXPECT_EQ(training.seed, 2u);
    EXPECT_EQ(training.stages[0].sources[0].jsonl->file, folder_ / "pairs.jsonl") << entry.path();
  }
}

// Beside the round's pairs, from the folder of the recipe of rounds.
TEST_F(RoundsTest, MixedFilesAreNamedFromTheRecipesFolder) {
  const std::string mixed =
      R"(train.stages.0.data={"mix": [{"weight": 3, "jsonl": {"frames": 2}}, )"
      R"({"weight": 1, "jsonl": {"file": "more/rows.jsonl", "frames": 2}}]})";
  fs::create_directories(folder_ / "deep");
  std::ofstream(folder_ / "deep" / "round.jsonc")
      << round_training(recipe({mixed}), 1, (folder_ / "model").string(), "pairs.jsonl");
  const Stage stage = read_recipe(folder_ / "deep" / "round.jsonc").stages.at(0);
  EXPECT_EQ(stage.sources.at(0).jsonl->file, folder_ / "deep" / "pairs.jsonl");
  EXPECT_EQ(stage.sources.at(1).jsonl->file, folder_ / "more" / "rows.jsonl");
}

TEST_F(RoundsTest, SlicesGoOnBehindTheLastRow) {
  write_slice(folder_ / "rows.jsonl", 4, 3, folder_ / "deep" / "slice.jsonl");
  std::ifstream stream(folder_ / "deep" / "slice.jsonl");
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines[0], HasSubstr("clip4.mp4"));
  EXPECT_THAT(lines[1], HasSubstr("../clip0.mp4"));
  EXPECT_THAT(lines[2], HasSubstr("clip1.mp4"));
}

}  // namespace
}  // namespace tarsier
