#include "tarsier/eval/world.h"

#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tarsier/base/error.h"
#include "tarsier/engine/aten_backend.h"
#include "tarsier/models/registry.h"

namespace tarsier {
namespace {

// An untrained model knows nothing: the run must be whole, and its scores must say so.
TEST(EvaluateWorld, AnUntrainedModelScoresNothing) {
  LoadOptions options;
  options.random_weights = 1;
  const c10::InferenceMode inference;
  const auto model =
      load_model(std::filesystem::path(TARSIER_SOURCE_DIR) / "assets" / "tarsier-nano", options);
  AtenBackend backend(model->decoder());
  WorldEvalSettings settings;
  settings.level = "easy";
  settings.clips = 1;
  settings.unseen_clips = 1;
  settings.questions_per_clip = 2;
  std::int64_t told = 0;
  const WorldEvalResult result =
      evaluate_world(*model, backend, settings, [&](std::int64_t done) { told = done; });
  EXPECT_EQ(told, 2);
  ASSERT_EQ(result.items.size(), 2u);
  EXPECT_FALSE(result.items[0].unseen);
  EXPECT_TRUE(result.items[1].unseen);
  EXPECT_FALSE(result.items[0].truth.empty());
  EXPECT_EQ(result.scores.clips, 1);
  EXPECT_EQ(result.scores.event_recall, 0);
  EXPECT_EQ(result.scores.miss, 1);
}

TEST(EvaluateWorld, AsksInItsLanguageAtEveryLevel) {
  LoadOptions options;
  options.random_weights = 1;
  const c10::InferenceMode inference;
  const auto model =
      load_model(std::filesystem::path(TARSIER_SOURCE_DIR) / "assets" / "tarsier-nano", options);
  AtenBackend backend(model->decoder());
  WorldEvalSettings settings;
  settings.level = "rich";
  settings.language = Language::spanish;
  settings.clips = 1;
  settings.questions_per_clip = 1;
  const WorldEvalResult result = evaluate_world(*model, backend, settings);
  ASSERT_EQ(result.items.size(), 1u);
  EXPECT_NE(result.items[0].truth.find(" fondo "), std::string::npos) << result.items[0].truth;
}

TEST(EvaluateWorld, StopsWhenAsked) {
  LoadOptions options;
  options.random_weights = 1;
  const c10::InferenceMode inference;
  const auto model =
      load_model(std::filesystem::path(TARSIER_SOURCE_DIR) / "assets" / "tarsier-nano", options);
  AtenBackend backend(model->decoder());
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(evaluate_world(*model, backend, {}, {}, stop.get_token()).items.empty());
}

TEST(EvaluateWorld, UnknownLevelIsRefused) {
  LoadOptions options;
  options.random_weights = 1;
  const c10::InferenceMode inference;
  const auto model =
      load_model(std::filesystem::path(TARSIER_SOURCE_DIR) / "assets" / "tarsier-nano", options);
  AtenBackend backend(model->decoder());
  WorldEvalSettings settings;
  settings.level = "hard";
  EXPECT_THROW(evaluate_world(*model, backend, settings), ConfigError);
}

}  // namespace
}  // namespace tarsier
