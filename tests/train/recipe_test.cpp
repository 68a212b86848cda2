#include "tarsier/train/recipe.h"

#include "tarsier/base/error.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

std::string refusal(const fs::path& file, const std::vector<std::string>& overrides) {
  try {
    read_recipe(file, overrides);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

class RecipeFile : public ::testing::Test {
 protected:
  fs::path file = test::write_recipe(test::fresh_folder("recipe"), "model", [](nlohmann::json&) {});
};

TEST_F(RecipeFile, ReadsSettingsAndTakesOverrides) {
  const Recipe recipe = read_recipe(file, {"stages.1.steps=10", "export_dtype=bf16"});
  EXPECT_EQ(recipe.total_steps(), 12);
  EXPECT_EQ(recipe.export_dtype, "bf16");
  EXPECT_EQ(recipe.stages[1].sources[0].synth->key_token_weight, 2);
  EXPECT_EQ(recipe.model, file.parent_path() / "model");
  EXPECT_NE(recipe.hash, read_recipe(file).hash);
  EXPECT_EQ(recipe.stages[1].sources[0].synth->languages, std::vector<std::string>{"english"});
}

TEST_F(RecipeFile, RefusesWhatItDoesNotKnow) {
  EXPECT_NE(
      refusal(file, {"sead=1"}).find("recipe.jsonc: sead: is not a setting; known here: model"),
      std::string::npos);
  EXPECT_NE(refusal(file, {"stages.0.data.synth.level=[1]"})
                .find("level: is an array, expected a string"),
            std::string::npos);
  EXPECT_NE(refusal(file, {"stages.0.steps=0"}).find("stages[0].steps: is 0, expected 1 to"),
            std::string::npos);
  EXPECT_NE(
      refusal(file, {"compute=f64"}).find("compute: is 'f64'; use one of: auto, f32, bf16, mixed"),
      std::string::npos);
  EXPECT_NE(refusal(file, {"stages=[]"}).find("stages: has no stage"), std::string::npos);
  EXPECT_NE(refusal(file, {"stages.7.steps=1"}).find("there is no entry 7"), std::string::npos);
  EXPECT_NE(refusal(file, {"nonsense"}).find("--set: 'nonsense' is not key=value"),
            std::string::npos);
  EXPECT_NE(refusal(file, {"stages.0.data={}"}).find("needs either synth or jsonl"),
            std::string::npos);
  EXPECT_NE(refusal(file, {"stages.0.objectives={\"next_token\":0}"})
                .find("gives every objective weight 0"),
            std::string::npos);
  EXPECT_NE(refusal(file, {"stages.1.data.synth={\"level\":\"base\"}"})
                .find("asks for no caption and no question"),
            std::string::npos);
  EXPECT_NE(refusal(file, {R"(stages.1.data.synth.languages=["english","latin"])"})
                .find("no language is named 'latin'; use english, chinese or spanish"),
            std::string::npos);
  EXPECT_NE(refusal(file, {"stages.1.data.synth.languages=[]"}).find("names no language"),
            std::string::npos);
}

TEST_F(RecipeFile, ReadsMixedSourcesAndWeightsOfQuestions) {
  const Recipe recipe = read_recipe(
      file,
      {R"(stages.1.data={"mix":[{"weight":3,"synth":{"dense_captions":1,"answer_weight":4}},)"
       R"({"synth":{"level":"rich","frames":16,"questions":2,"question_weights":{"when":2}}}]})"});
  const std::vector<DataSource>& sources = recipe.stages[1].sources;
  ASSERT_EQ(sources.size(), 2u);
  EXPECT_EQ(sources[0].weight, 3);
  EXPECT_EQ(sources[0].synth->answer_weight, 4);
  EXPECT_EQ(sources[1].weight, 1);
  EXPECT_EQ(sources[1].synth->level, "rich");
  EXPECT_EQ(sources[1].synth->question_weights.at("when"), 2);
  EXPECT_NE(refusal(file, {R"(stages.1.data={"mix":[]})"}).find("mix: names no source"),
            std::string::npos);
  EXPECT_NE(refusal(file, {R"(stages.1.data={"mix":[{"weight":1}]})"})
                .find("mix[0]: needs either synth or jsonl"),
            std::string::npos);
  EXPECT_NE(refusal(file, {R"(stages.1.data={"mix":[{"weight":300,"synth":{"questions":1}},)"
                           R"({"synth":{"questions":1}}]})"})
                .find("mix[1]: has 0.0033 of the weights, and 0.0078 is the least"),
            std::string::npos);
  EXPECT_NE(refusal(file, {R"(stages.1.data.synth.question_weights={"why":1})"})
                .find("why: is no kind of question; kinds are colour, shape"),
            std::string::npos);
}

TEST_F(RecipeFile, WeighsQuestionsAboutSoundsWhereThereAreSounds) {
  const std::string weights =
      R"("question_weights":{"which_sound":4,"beeps":3,"is_heard":2,"with_sound":5,"when":6})";
  const Recipe recipe = read_recipe(
      file, {R"(stages.1.data={"synth":{"level":"av","questions":2,)" + weights + "}}"});
  const auto& read = recipe.stages[1].sources[0].synth->question_weights;
  EXPECT_EQ(read.size(), 5u);
  EXPECT_EQ(read.at("with_sound"), 5);
  EXPECT_NE(refusal(file, {R"(stages.1.data={"synth":{"questions":2,)" + weights + "}}"})
                .find("question_weights.beeps: asks about sounds, and the level base has none; "
                      "leave it out, or set level to av"),
            std::string::npos);
  EXPECT_NE(refusal(file, {R"(stages.1.data.synth.question_weights={"why":1})"})
                .find("choice, and of clips with sounds which_sound, beeps, is_heard, with_sound"),
            std::string::npos);
}

TEST_F(RecipeFile, PacksByTokensOrByClips) {
  const std::string without_clips =
      R"(stages.0={"name":"a","steps":1,"pack_tokens":4096,"data":{"jsonl":{"file":"x"}}})";
  const Stage packed = read_recipe(file, {without_clips, "stages.0.pack_window=3"}).stages[0];
  EXPECT_EQ(packed.pack_tokens, 4096);
  EXPECT_EQ(packed.pack_window, 3);
  EXPECT_FALSE(read_recipe(file).stages[0].pack_tokens);
  EXPECT_NE(refusal(file, {"stages.0.pack_tokens=10"})
                .find("pack_tokens: stands beside clips_per_step; give one of the two"),
            std::string::npos);
  EXPECT_NE(refusal(file, {"stages.0.pack_window=10"})
                .find("pack_window: stands without pack_tokens; give both or neither"),
            std::string::npos);
}

TEST_F(RecipeFile, ReadsRatesOfGroups) {
  const Recipe recipe = read_recipe(
      file,
      {R"(stages.0.groups=[{"match":"visual.blocks.","rate":0.1,"weight_decay":0},{"match":""}])",
       "stages.0.schedule=linear", "stages.0.vision_layer_decay=0.9", "logit_chunk=7", "ema=0.99"});
  const Stage& stage = recipe.stages[0];
  ASSERT_EQ(stage.groups.size(), 2u);
  EXPECT_EQ(stage.groups[0].rate, 0.1);
  EXPECT_EQ(stage.groups[0].weight_decay, 0);
  EXPECT_FALSE(stage.groups[1].weight_decay);
  EXPECT_EQ(stage.schedule, ScheduleShape::linear);
  EXPECT_EQ(recipe.stages[1].schedule, ScheduleShape::cosine);
  EXPECT_EQ(stage.vision_layer_decay, 0.9);
  EXPECT_EQ(recipe.ema, 0.99);
  EXPECT_NE(refusal(file, {"stages.0.schedule=step"}).find("use one of: cosine, linear, constant"),
            std::string::npos);
  EXPECT_NE(refusal(file, {R"(stages.0.groups=[{"matches":"x"}])"}).find("is not a setting"),
            std::string::npos);
}

TEST_F(RecipeFile, ShippedRecipesAreWhole) {
  for (const fs::directory_entry& entry :
       fs::directory_iterator(fs::path(TARSIER_SOURCE_DIR) / "recipes")) {
    if (!entry.is_regular_file()) continue;  // a folder holds an ablation's plan with its recipes
    EXPECT_GT(read_recipe(entry.path()).total_steps(), 0) << entry.path();
  }
}

// training.md 1.
TEST_F(RecipeFile, Tarsier2StagesHaveThePapersSettings) {
  struct Published {
    const char* name;
    std::int64_t steps, warmup, batch;
    double rate;
  };
  for (const Published& paper : {Published{"pretrain", 200'000, 1000, 384, 2e-5},
                                 {"sft1", 5000, 250, 64, 2e-5},
                                 {"sft2", 5000, 250, 64, 2e-6},
                                 {"dpo", 1000, 100, 64, 1e-6}}) {
    SCOPED_TRACE(paper.name);
    const Recipe recipe = read_recipe(fs::path(TARSIER_SOURCE_DIR) / "recipes" /
                                          ("tarsier2_" + std::string(paper.name) + ".jsonc"),
                                      {"stages.0.data.jsonl.file=/data/rows.jsonl"});
    ASSERT_EQ(recipe.stages.size(), 1u);
    const Stage& stage = recipe.stages[0];
    ASSERT_EQ(stage.sources.size(), 1u);
    ASSERT_TRUE(stage.sources[0].jsonl);
    EXPECT_EQ(stage.sources[0].jsonl->file, "/data/rows.jsonl");
    EXPECT_EQ(stage.sources[0].jsonl->frames, 16);
    EXPECT_EQ(stage.steps, paper.steps);
    EXPECT_EQ(stage.warmup_steps, paper.warmup);
    EXPECT_EQ(stage.clips_per_step * stage.accumulate, paper.batch);
    EXPECT_EQ(stage.peak_rate, paper.rate);
    EXPECT_EQ(stage.final_share, 0);
    EXPECT_EQ(stage.schedule, ScheduleShape::cosine);
    EXPECT_EQ(stage.rule, UpdateRule::adamw);
    EXPECT_EQ(stage.beta1, 0.9);
    EXPECT_EQ(stage.beta2, 0.999);
    EXPECT_EQ(stage.epsilon, 1e-6);
    EXPECT_EQ(stage.weight_decay, 0.01);
    EXPECT_EQ(stage.preference.has_value(), std::string(paper.name) == "dpo");
    EXPECT_EQ(stage.clip_norm, 1);
    EXPECT_EQ(stage.vision_layer_decay, 0.9);
    EXPECT_EQ(stage.train, std::vector<std::string>{""});
    EXPECT_TRUE(stage.freeze.empty());
    EXPECT_EQ(recipe.compute, "bf16");
  }
}

}  // namespace
}  // namespace tarsier
