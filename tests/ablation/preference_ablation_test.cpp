#include <gmock/gmock.h>

#include "tarsier/ablation/ablation.h"
#include "tarsier/base/error.h"
#include "tarsier/checkpoint/weights_hash.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const AblationOrigin kOrigin{"tarsier eval ablation small", "abc", "a machine"};

// The shipped model tuned for a step on flawed descriptions, then trained on pairs of its own
// answers, at once and in rounds.
class PreferenceAblation : public ::testing::Test {
 protected:
  PreferenceAblation() {
    const nlohmann::json model =
        (fs::path(TARSIER_SOURCE_DIR) / "assets" / "tarsier-nano").string();
    const nlohmann::json stage = {{"steps", 1}, {"clips_per_step", 2}, {"warmup_steps", 0}};
    const auto write = [&](const char* name, nlohmann::json recipe, nlohmann::json more) {
      more.update(stage);
      more["name"] = name;
      recipe["stages"] = {more};
      std::ofstream(folder / (std::string(name) + ".jsonc")) << recipe.dump(1);
    };
    const nlohmann::json plain = {{"model", model}, {"compute", "f32"}, {"export_dtype", "f32"}};
    write("sft", plain, {{"data", {{"synth", {{"flawed_captions", 1}, {"omit", 0.5}}}}}});
    const nlohmann::json pairs = {{"jsonl", {{"file", "pairs"}, {"frames", 8}}}};
    write("dpo", plain, {{"preference", {{"beta", 0.1}}}, {"data", pairs}});
    nlohmann::json gdpo = {{"compute", "f32"}, {"export_dtype", "f32"}, {"adapter", {{"rank", 2}}}};
    nlohmann::json gdpo_stage = stage;
    gdpo_stage["name"] = "gdpo";
    gdpo_stage["preference"] = {{"truth_nll", 0.1}};
    gdpo_stage["data"] = pairs;
    gdpo["stages"] = {gdpo_stage};
    std::ofstream(folder / "rounds.jsonc") << nlohmann::json{
        {"model", "none"},
        {"rows", "none"},
        {"rounds", 2},
        {"sample", {{"intact", 6}, {"temperature", 1.7}, {"max_new_tokens", 96}, {"frames", 8}}},
        {"pairs", {{"min_gap", 0.01}}},
        {"train", gdpo}}.dump(1);
  }

  AblationPlan plan(const nlohmann::json& json) const {
    std::ofstream(folder / "plan.jsonc") << json.dump(1);
    return read_ablation_plan(folder / "plan.jsonc");
  }
  std::string refusal(const nlohmann::json& json) const {
    try {
      plan(json);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no error";
  }

  fs::path folder = test::fresh_folder("preference_ablation");
  nlohmann::json plan_json = {
      {"level", "base"},
      {"clips", 1},
      {"pools",
       {{"own",
         {{"from", "sft"},
          {"clips", 6},
          {"corrupt", {{"frames", 8}}},
          {"sample", {{"intact", 2}, {"temperature", 1.5}, {"max_new_tokens", 96}}}}}}},
      {"rows",
       {{{"name", "sft"}, {"recipe", "sft.jsonc"}, {"fresh", false}},
        {{"name", "dpo_no_filter"},
         {"recipe", "dpo.jsonc"},
         {"from", "sft"},
         {"pairs", {{"pool", "own"}, {"choose", {{"filter", false}}}}}},
        {{"name", "round_1"},
         {"recipe", "rounds.jsonc"},
         {"from", "sft"},
         {"pool", "own"},
         {"round", 1}},
        {{"name", "round_2"},
         {"recipe", "rounds.jsonc"},
         {"from", "sft"},
         {"pool", "own"},
         {"round", 2}}}}};
};

TEST_F(PreferenceAblation, RowsLearnFromAnswersOfTheRowTheyStartFrom) {
  const AblationPlan read = plan(plan_json);
  const AblationOptions options{.out = folder / "out", .seeds = {3}};
  AblationResults results(folder / "results.json", read);
  ASSERT_EQ(run_ablation(read, options, kOrigin, results), TrainOutcome::finished);
  for (const char* row : {"sft", "dpo_no_filter", "round_1", "round_2"})
    EXPECT_TRUE(results.has(row, 3)) << row;
  EXPECT_TRUE(fs::exists(folder / "out" / "pool_own" / "seed_3" / "scored" / "rows.jsonl"));
  const auto recipe = test::read(folder / "out" / "dpo_no_filter" / "seed_3" / "recipe.json");
  EXPECT_EQ(recipe["stages"][0]["data"]["jsonl"]["file"],
            (folder / "out" / "dpo_no_filter" / "seed_3" / "pairs" / "rows.jsonl").string());
  EXPECT_EQ(recipe["model"], (folder / "out" / "sft" / "seed_3" / "model").string());
  EXPECT_EQ(test::read(folder / "results.json").at("start"), first_weights(read));
  const auto start = test::read(folder / "out" / "sft" / "seed_3" / "recipe.json");
  EXPECT_FALSE(start.contains("random_weights"));
  EXPECT_TRUE(fs::exists(folder / "out" / "rounds_own" / "seed_3" / "round_02" / "lineage.json"));
}

// The recipes are the same, and yet it would be another table.
TEST_F(PreferenceAblation, RunsThatBeginWithOtherWeightsAreNotAdded) {
  const fs::path model = fs::path(TARSIER_SOURCE_DIR) / "assets" / "tarsier-nano";
  AblationPlan read = plan(plan_json);
  EXPECT_EQ(first_weights(read), weights_sha256(model));
  AblationResults(folder / "results.json", read)
      .add("sft", {.seed = 1, .scores = {{"event_f1", 1}}},
           {"tarsier eval ablation small", "abc", "a machine", "0123456789abcdef"});
  EXPECT_EQ(test::read(folder / "results.json").at("start"), "0123456789abcdef");
  AblationResults results(folder / "results.json", read);
  const auto run = [&](std::uint64_t seed) {
    return run_ablation(read, {.out = folder / "out", .seeds = {seed}, .rows = {"sft"}}, kOrigin,
                        results);
  };
  EXPECT_EQ(run(1), TrainOutcome::finished) << "what is there can be read";
  try {
    run(2);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("holds the results of models that began with the weights 0123456789ab, "
                          "these are " +
                          weights_sha256(model).substr(0, 12)));
  }
  EXPECT_FALSE(fs::exists(folder / "out" / "sft"));
}

TEST_F(PreferenceAblation, PlansThatDoNotFitAreRefused) {
  nlohmann::json json = plan_json;
  json["rows"][1]["pairs"]["pool"] = "other";
  EXPECT_THAT(refusal(json), HasSubstr("'other' is no pool"));
  json = plan_json;
  json["pools"]["own"]["from"] = "round_1";
  EXPECT_THAT(refusal(json), HasSubstr("answers of another model than the row starts from"));
  json = plan_json;
  json["rows"][1]["fresh"] = false;
  EXPECT_THAT(refusal(json), HasSubstr("stands beside \"from\""));
  json = plan_json;
  json["pools"]["own"]["clip"] = 3;
  EXPECT_THAT(refusal(json), HasSubstr("clip: is not a setting"));
}

}  // namespace
}  // namespace tarsier
