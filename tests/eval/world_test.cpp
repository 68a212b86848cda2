#include "tarsier/eval/world.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "tarsier/base/error.h"
#include "tarsier/models/registry.h"

namespace tarsier {
namespace {

class EvaluateWorld : public ::testing::Test {
 protected:
  WorldEvalResult evaluate(std::optional<std::uint64_t> random_weights,
                           const WorldEvalSettings& settings,
                           const std::function<void(std::int64_t)>& progress = {},
                           std::stop_token stop = {}) {
    LoadOptions options;
    options.random_weights = random_weights;
    const auto model =
        load_model(std::filesystem::path(TARSIER_SOURCE_DIR) / "assets" / "tarsier-nano", options);
    return evaluate_world(*model, settings, progress, stop);
  }
};

// An untrained model knows nothing: the run must be whole, and its scores must say so.
TEST_F(EvaluateWorld, AnUntrainedModelScoresNothing) {
  WorldEvalSettings settings;
  settings.level = "easy";
  settings.clips = 1;
  settings.unseen_clips = 1;
  settings.questions_per_clip = 2;
  std::int64_t told = 0;
  const WorldEvalResult result = evaluate(1, settings, [&](std::int64_t done) { told = done; });
  EXPECT_EQ(told, 2);
  ASSERT_EQ(result.items.size(), 2u);
  EXPECT_FALSE(result.items[0].unseen);
  EXPECT_TRUE(result.items[1].unseen);
  EXPECT_FALSE(result.items[0].truth.empty());
  EXPECT_EQ(result.scores.clips, 1);
  EXPECT_EQ(result.scores.event_recall, 0);
  EXPECT_EQ(result.scores.miss, 1);
}

TEST_F(EvaluateWorld, WorkersAndKeptClipsChangeNoScore) {
  WorldEvalSettings settings;
  settings.clips = 3;
  settings.unseen_clips = 1;
  settings.questions_per_clip = 2;
  const auto json = [](const WorldEvalResult& result) {
    return world_scores_json(result.scores, result.unseen, 1, "nano").dump();
  };
  const WorldEvalResult plain = evaluate(std::nullopt, settings);
  settings.workers = 3;
  settings.clips_in = std::filesystem::path(::testing::TempDir()) /
                      ("tarsier_eval_clips_" + std::to_string(::getpid()));
  for (int round = 0; round < 2; ++round) {
    const WorldEvalResult kept = evaluate(std::nullopt, settings);
    EXPECT_EQ(json(kept), json(plain));
    ASSERT_EQ(kept.items.size(), plain.items.size());
    for (std::size_t i = 0; i < kept.items.size(); ++i)
      EXPECT_EQ(kept.items[i].description, plain.items[i].description);
  }
  EXPECT_TRUE(std::filesystem::exists(settings.clips_in / "base_test_1_0.mp4"));
  EXPECT_TRUE(std::filesystem::exists(settings.clips_in / "base_test_1_0_unseen.mp4"));
  std::filesystem::remove_all(settings.clips_in);
}

// Random weights say nothing, but say it otherwise where there is sound.
TEST_F(EvaluateWorld, AModelWithEarsHears) {
  const auto evaluate_tiny = [](const std::string& level, bool deaf) {
    WorldEvalSettings settings;
    settings.level = level;
    settings.clips = 1;
    settings.questions_per_clip = 100;  // all
    LoadOptions options;
    options.without_sound = deaf;
    const auto model = load_model(
        std::filesystem::path(TARSIER_SOURCE_DIR) / "tests/fixtures/models/salmonn2_plus", options);
    return evaluate_world(*model, settings);
  };
  const WorldEvalResult heard = evaluate_tiny("av", false), unheard = evaluate_tiny("av", true);
  EXPECT_NE(heard.items.at(0).description, unheard.items.at(0).description);
  EXPECT_EQ(heard.items.at(0).truth, unheard.items.at(0).truth);
  EXPECT_GT(heard.scores.sounds, 0);
  for (const char* kind : {"beeps", "is_heard"})
    EXPECT_TRUE(heard.scores.qa_by_kind.contains(kind)) << kind;
  const WorldEvalResult silent = evaluate_tiny("easy", false);
  EXPECT_EQ(silent.items.at(0).description, evaluate_tiny("easy", true).items.at(0).description);
  EXPECT_EQ(silent.scores.sounds, 0);
  EXPECT_FALSE(silent.scores.qa_by_kind.contains("beeps"));
}

// The whole line with a model that has something to say: world, mp4, frames, prompt, tokens,
// grammar, score. Its figures over 1,000 clips stand in docs/tarsier-nano.md.
TEST_F(EvaluateWorld, TheShippedModelDescribesFreshClips) {
  WorldEvalSettings settings;
  settings.level = "base";
  settings.clips = 8;
  settings.questions_per_clip = 2;
  settings.seed = 2024;
  const WorldScores scores = evaluate(std::nullopt, settings).scores;
  EXPECT_GE(scores.event_f1, 0.8);
  EXPECT_GE(scores.scene_f1, 0.95);
  EXPECT_GE(scores.interval_iou, 0.8);
  EXPECT_EQ(scores.unparsed, 0);
}

TEST_F(EvaluateWorld, AsksInItsLanguageAtEveryLevel) {
  WorldEvalSettings settings;
  settings.level = "rich";
  settings.language = Language::spanish;
  settings.clips = 1;
  settings.questions_per_clip = 1;
  const WorldEvalResult result = evaluate(1, settings);
  ASSERT_EQ(result.items.size(), 1u);
  EXPECT_NE(result.items[0].truth.find(" fondo "), std::string::npos) << result.items[0].truth;
}

TEST_F(EvaluateWorld, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(evaluate(1, {}, {}, stop.get_token()).items.empty());
}

TEST_F(EvaluateWorld, UnknownLevelIsRefused) {
  WorldEvalSettings settings;
  settings.level = "hard";
  EXPECT_THROW(evaluate(1, settings), ConfigError);
}

}  // namespace
}  // namespace tarsier
