#include "tarsier/ablation/ablation.h"

#include <gtest/gtest.h>

#include "tarsier/base/error.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

const AblationOrigin kOrigin{"tarsier eval ablation small", "abc", "a machine"};

// Two rows over recipes of a step or two, of which the second starts from the first.
class Ablation : public ::testing::Test {
 protected:
  Ablation() {
    fs::create_directories(folder / "model");
    test::make_tiny_model(folder / "model");
    for (const char* name : {"first", "second"}) {
      fs::create_directories(folder / name);
      test::write_recipe(folder / name, folder / "model", [](nlohmann::json& recipe) {
        recipe["stages"].erase(0);
        recipe["stages"][0]["steps"] = 1;
        recipe["stages"][0]["accumulate"] = 1;
      });
    }
    write_plan(plan_json);
  }

  void write_plan(const nlohmann::json& json) const {
    std::ofstream(folder / "plan.jsonc") << "// a test's plan\n" << json.dump(1);
  }

  AblationPlan plan() const { return read_ablation_plan(folder / "plan.jsonc"); }

  std::string refusal(const nlohmann::json& json) const {
    write_plan(json);
    try {
      plan();
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no error";
  }

  fs::path folder = test::fresh_folder("ablation");
  nlohmann::json plan_json = {
      {"level", "easy"},
      {"clips", 1},
      {"rows",
       {{{"name", "base"}, {"recipe", "first/recipe.jsonc"}},
        {{"name", "tuned"},
         {"recipe", "second/recipe.jsonc"},
         {"from", "base"},
         {"set", {"stages.0.steps=2"}}}}},
      {"claims", {{{"says", "tuning helps"}, {"better", "tuned"}, {"worse", "base"}}}}};
};

TEST_F(Ablation, TrainsScoresAndKeepsWhatIsDone) {
  const AblationPlan read = plan();
  const AblationOptions options{.out = folder / "out", .seeds = {4}};
  AblationResults results(folder / "results.json", read);
  ASSERT_EQ(run_ablation(read, options, kOrigin, results), TrainOutcome::finished);
  EXPECT_TRUE(results.has("base", 4));
  EXPECT_TRUE(results.has("tuned", 4));
  EXPECT_FALSE(results.has("tuned", 5));
  // The second row is the first one's model, trained on.
  const auto recipe = test::read(folder / "out" / "tuned" / "seed_4" / "recipe.json");
  EXPECT_EQ(recipe["model"], (folder / "out" / "base" / "seed_4" / "model").string());
  EXPECT_EQ(recipe["stages"][0]["steps"], 2);
  EXPECT_TRUE(recipe["random_weights"].is_null());

  const nlohmann::json file = test::read(folder / "results.json");
  EXPECT_EQ(file["command"], kOrigin.command);
  EXPECT_EQ(file["rows"][1]["name"], "tuned");
  EXPECT_EQ(file["rows"][1]["seeds"][0]["seed"], 4);
  EXPECT_GT(file["rows"][1]["seeds"][0]["train_seconds"], 0);
  EXPECT_TRUE(file["rows"][1]["mean"].contains("event_f1"));
  EXPECT_FALSE(file["rows"][1]["mean"].contains("clips"));

  // A second seed adds to the same file; of what is done nothing is trained again, even where its
  // folder is gone.
  fs::remove_all(folder / "out");
  AblationResults more(folder / "results.json", read);
  const AblationOptions both{.out = folder / "out", .seeds = {4, 5}, .rows = {"base"}};
  ASSERT_EQ(run_ablation(read, both, kOrigin, more), TrainOutcome::finished);
  EXPECT_FALSE(fs::exists(folder / "out" / "base" / "seed_4"));
  EXPECT_EQ(more.seeds("base"), 2u);
  EXPECT_EQ(more.seeds("tuned"), 1u);
}

TEST_F(Ablation, ParentThatIsGoneIsTrainedAgainAndNotScoredTwice) {
  const AblationPlan read = plan();
  AblationResults results(folder / "results.json", read);
  AblationOptions options{.out = folder / "out", .seeds = {1}, .rows = {"base"}};
  ASSERT_EQ(run_ablation(read, options, kOrigin, results), TrainOutcome::finished);
  fs::remove_all(folder / "out");
  options.rows = {"tuned"};
  ASSERT_EQ(run_ablation(read, options, kOrigin, results), TrainOutcome::finished);
  EXPECT_EQ(results.seeds("base"), 1u);
  EXPECT_EQ(results.seeds("tuned"), 1u);
  options.rows = {"other"};
  EXPECT_THROW(run_ablation(read, options, kOrigin, results), ConfigError);
}

TEST_F(Ablation, FinishedRunIsNotWrittenAnew) {
  const AblationPlan read = plan();
  AblationResults results(folder / "results.json", read);
  AblationOptions options{.out = folder / "out", .seeds = {1}, .rows = {"base"}};
  ASSERT_EQ(run_ablation(read, options, kOrigin, results), TrainOutcome::finished);
  const fs::path model = folder / "out" / "base" / "seed_1" / "model" / "config.json";
  const auto written = fs::last_write_time(model);
  options.rows = {"tuned"};
  ASSERT_EQ(run_ablation(read, options, kOrigin, results), TrainOutcome::finished);
  EXPECT_EQ(fs::last_write_time(model), written);
}

TEST_F(Ablation, SeveralProcessesAddToOneFile) {
  const AblationPlan read = plan();
  AblationResults one(folder / "results.json", read), other(folder / "results.json", read);
  one.add("base", {.seed = 1, .scores = {{"event_f1", 0.5}}}, kOrigin);
  other.add("base", {.seed = 2, .scores = {{"event_f1", 0.6}}}, kOrigin);
  one.add("base", {.seed = 2, .scores = {{"event_f1", 0.9}}}, kOrigin);  // the first stays
  EXPECT_NEAR(AblationResults(folder / "results.json", read).mean("base", "event_f1"), 0.55, 1e-12);
}

TEST_F(Ablation, StopsWhenAskedWithoutAScore) {
  const AblationPlan read = plan();
  AblationResults results(folder / "results.json", read);
  std::stop_source stop;
  stop.request_stop();
  const AblationOptions options{.out = folder / "out", .seeds = {1}, .stop = stop.get_token()};
  EXPECT_EQ(run_ablation(read, options, kOrigin, results), TrainOutcome::stopped);
  EXPECT_FALSE(fs::exists(folder / "results.json"));
}

TEST_F(Ablation, SeedsShareNoClipAndNoWeights) {
  const AblationPlan read = plan();
  const Recipe one = ablation_recipe(read.rows[0], 1, {}),
               two = ablation_recipe(read.rows[0], 2, {}),
               tuned = ablation_recipe(read.rows[1], 1, "parent");
  EXPECT_EQ(one.random_weights, 1u);
  EXPECT_NE(one.stages[0].sources[0].synth->seed, two.stages[0].sources[0].synth->seed);
  EXPECT_NE(one.hash, two.hash);
  EXPECT_FALSE(tuned.random_weights);
}

TEST_F(Ablation, MeansSpreadsAndClaims) {
  const AblationPlan read = plan();
  AblationResults results(folder / "results.json", read);
  EXPECT_TRUE(results.claims().empty());
  const double base[] = {0.5, 0.6, 0.7}, tuned[] = {0.7, 0.72, 0.74};
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    results.add("base", {.seed = seed, .scores = {{"event_f1", base[seed]}}}, kOrigin);
    results.add("tuned", {.seed = seed, .scores = {{"event_f1", tuned[seed]}}}, kOrigin);
  }
  EXPECT_NEAR(results.mean("base", "event_f1"), 0.6, 1e-12);
  EXPECT_NEAR(results.spread("base", "event_f1"), 0.1, 1e-12);
  ASSERT_EQ(results.claims().size(), 1u);
  EXPECT_NEAR(results.claims()[0].difference, 0.12, 1e-12);
  EXPECT_NEAR(results.claims()[0].spread, 0.1, 1e-12);
  EXPECT_TRUE(results.claims()[0].holds);
  EXPECT_NE(results.text().find("tuning helps: tuned 0.720, base 0.600 in event_f1: difference "
                                "0.120, spread 0.100: holds\n"
                                "  seed by seed +0.200, +0.120, +0.040, spread 0.080\n"),
            std::string::npos)
      << results.text();
  // Read back, the table is the same.
  EXPECT_EQ(AblationResults(folder / "results.json", read).json(), results.json());
}

TEST_F(Ablation, AClaimMaySayHowLargeTheDifferenceIs) {
  plan_json["claims"][0]["at_least"] = -0.05;
  write_plan(plan_json);
  const AblationPlan read = plan();
  AblationResults results(folder / "results.json", read);
  results.add("base", {.seed = 1, .scores = {{"event_f1", 0.5}}}, kOrigin);
  results.add("tuned", {.seed = 1, .scores = {{"event_f1", 0.46}}}, kOrigin);
  EXPECT_TRUE(results.claims().at(0).holds);
  EXPECT_NE(results.text().find("spread 0.000, asked -0.050: holds"), std::string::npos)
      << results.text();
  results.add("tuned", {.seed = 2, .scores = {{"event_f1", 0.3}}}, kOrigin);
  results.add("base", {.seed = 2, .scores = {{"event_f1", 0.5}}}, kOrigin);
  EXPECT_FALSE(results.claims().at(0).holds);
  // A score that no run has is no column.
  EXPECT_EQ(results.text().find("probes"), std::string::npos);
}

TEST_F(Ablation, ErrorsCountDownwards) {
  plan_json["claims"][0]["score"] = "hallucination";
  write_plan(plan_json);
  const AblationPlan read = plan();
  AblationResults results(folder / "results.json", read);
  results.add("base", {.seed = 1, .scores = {{"hallucination", 0.2}}}, kOrigin);
  results.add("tuned", {.seed = 1, .scores = {{"hallucination", 0.3}}}, kOrigin);
  EXPECT_FALSE(results.claims()[0].holds);
  EXPECT_NE(results.text().find("does not hold (one seed, no spread)"), std::string::npos);
}

TEST_F(Ablation, ResultsOfAnotherPlanAreRefused) {
  AblationPlan read = plan();
  AblationResults(folder / "results.json", read)
      .add("base", {.seed = 1, .scores = {{"event_f1", 1}}}, kOrigin);
  plan_json["rows"][1]["set"] = {"stages.0.steps=3"};
  write_plan(plan_json);
  read = plan();
  try {
    const AblationResults results(folder / "results.json", read);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("holds the results of another plan or other recipes"),
              std::string::npos);
  }
}

TEST_F(Ablation, RefusesWhatIsNoPlan) {
  nlohmann::json json = plan_json;
  json["rows"][0]["from"] = "tuned";
  EXPECT_NE(refusal(json).find("rows[0].from: 'tuned' is no earlier row"), std::string::npos);
  json = plan_json;
  json["rows"][1]["name"] = "base";
  EXPECT_NE(refusal(json).find("rows[1].name: is there twice"), std::string::npos);
  json["rows"][1]["name"] = "../x";
  EXPECT_NE(refusal(json).find("use small letters, digits and _"), std::string::npos);
  json = plan_json;
  json["claims"][0]["worse"] = "none";
  EXPECT_NE(refusal(json).find("claims[0].worse: 'none' is no row"), std::string::npos);
  json = plan_json;
  json["rows"] = nlohmann::json::array();
  EXPECT_NE(refusal(json).find("rows: names no row"), std::string::npos);
  json = plan_json;
  json["level"] = "hard";
  EXPECT_NE(refusal(json).find("no level is named 'hard'"), std::string::npos);
}

TEST(AblationPlans, OfTheTreeAreWhole) {
  const AblationPlan plan =
      read_ablation_plan(fs::path(TARSIER_SOURCE_DIR) / "recipes" / "ablation_sft" / "plan.jsonc");
  EXPECT_EQ(plan.rows.size(), 7u);
  EXPECT_EQ(plan.claims.size(), 7u);
  const AblationPlan dpo =
      read_ablation_plan(fs::path(TARSIER_SOURCE_DIR) / "recipes" / "ablation_dpo" / "plan.jsonc");
  EXPECT_EQ(dpo.rows.size(), 5u);
  EXPECT_EQ(dpo.pools.size(), 1u);
  const AblationPlan mrdpo = read_ablation_plan(fs::path(TARSIER_SOURCE_DIR) / "recipes" /
                                                "ablation_mrdpo" / "plan.jsonc");
  ASSERT_EQ(mrdpo.rows.size(), 7u);
  EXPECT_EQ(mrdpo.rows.back().round, 6);
  EXPECT_EQ(mrdpo.level, "av");
}

}  // namespace
}  // namespace tarsier
