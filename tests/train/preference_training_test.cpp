#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/weights_hash.h"
#include "tarsier/models/adapters.h"
#include "tarsier/models/registry.h"
#include "tarsier/train/trainer.h"
#include "tests/data/small_videos.h"
#include "tests/train/rank_threads.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using test::metrics_of;
using ::testing::HasSubstr;

std::string row_of(const std::string& video, const std::string& chosen, const std::string& rejected,
                   const std::string& truth) {
  return nlohmann::json{{"video", video},
                        {"conversations",
                         {{{"from", "human"}, {"value", "<video>\nWhat happens?"}},
                          {{"from", "gpt"}, {"value", truth}},
                          {{"from", "chosen"}, {"value", chosen}},
                          {{"from", "reject"}, {"value", rejected}}}}}
      .dump();
}

// Pairs about two clips, and a recipe that trains a tiny model on them.
class PreferenceTraining : public ::testing::Test {
 protected:
  void SetUp() override {
    set_log_sink([this](LogLevel, std::string_view line) { log_ += std::string(line) + "\n"; });
    folder_ = test::fresh_folder("preference_training");
    testing::write_video(folder_ / "a.mp4", {.seconds = 1});
    testing::write_video(folder_ / "b.mp4", {.scenes = {3}, .seconds = 1});
    std::ofstream(folder_ / "pairs.jsonl")
        << row_of("a.mp4", "The red circle moves right.", "The star spins.", "A red circle.")
        << "\n"
        << row_of("b.mp4", "The big square grows.", "Nothing happens at all.", "A square.") << "\n"
        << row_of("a.mp4", "It moves.", "A blue ring appears.", "A circle.") << "\n";
  }
  void TearDown() override { set_log_sink({}); }

  template <class Edit>
  fs::path recipe_file(const Edit& edit) const {
    return test::write_recipe(folder_, test::make_tiny_model(folder_), [&](nlohmann::json& recipe) {
      recipe["stages"] = {{{"name", "dpo"},
                           {"steps", 6},
                           {"clips_per_step", 2},
                           {"warmup_steps", 1},
                           {"peak_rate", 3e-3},
                           {"schedule", "constant"},
                           {"preference", {{"beta", 0.1}}},
                           {"data", {{"jsonl", {{"file", "pairs.jsonl"}, {"frames", 2}}}}}}};
      edit(recipe);
    });
  }
  template <class Edit>
  TrainOutcome run(const std::string& name, const Edit& edit, std::stop_token stop = {}) const {
    return train(read_recipe(recipe_file(edit)), {folder_ / name, true, stop});
  }
  template <class... Settings>
  std::string refusal(const Settings&... settings) const {
    try {
      read_recipe(recipe_file([](nlohmann::json&) {}), {settings...});
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no error";
  }
  static std::map<std::string, Tensor> weights_of(VideoLanguageModel& model) {
    std::map<std::string, Tensor> all;
    model.visit(
        Scope([&](const std::string& path, Tensor& tensor) { all[path] = tensor.clone(); }));
    return all;
  }
  static std::map<std::string, Tensor> weights(const fs::path& directory) {
    LoadOptions options;
    options.dtype = at::kFloat;
    return weights_of(*load_model(directory, options));
  }
  // The model that a run with random weights begins with.
  std::shared_ptr<VideoLanguageModel> first_model() const {
    LoadOptions options;
    options.dtype = at::kFloat;
    options.random_weights = 3;
    return load_model(folder_, options);
  }
  // The run's adapter, put into the first model, gives these weights.
  void expect_adapter_makes(const std::map<std::string, Tensor>& weights) const {
    const auto model = first_model();
    Adapters adapters(*model);
    adapters.load("it", folder_ / "run" / "adapter");
    adapters.use("it", AdapterMode::merged);
    model->visit(Scope([&](const std::string& path, Tensor& tensor) {
      EXPECT_LT((tensor - weights.at(path)).abs().max().item<double>(), 1e-6) << path;
    }));
  }

  fs::path folder_;
  std::string log_;
};

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_F(PreferenceTraining, BeginsAtLnTwoAndLearnsWhichAnswerIsPreferred) {
  ASSERT_EQ(run("run", [](nlohmann::json& recipe) { recipe["stages"][0]["steps"] = 30; }),
            TrainOutcome::finished);
  const auto rows = metrics_of(folder_ / "run");
  ASSERT_EQ(rows.size(), 30u);
  EXPECT_NEAR(rows[0].at("loss").get<double>(), std::log(2.0), 1e-6);
  EXPECT_EQ(rows[0].at("rewards/margins"), 0);
  EXPECT_EQ(rows[0].at("rewards/accuracies"), 0.5);
  EXPECT_LT(rows[0].at("logps/chosen").get<double>(), 0);
  EXPECT_GT(rows[0].at("tokens/chosen").get<double>(), 2);
  EXPECT_LT(rows.back().at("loss").get<double>(), 0.5);
  EXPECT_EQ(rows.back().at("rewards/accuracies"), 1);
  EXPECT_GT(rows.back().at("rewards/margins").get<double>(), 0.5);
  EXPECT_EQ(rows.back().at("next_token"), 0);
}

TEST_F(PreferenceTraining, AResumedRunEqualsAnUnbrokenOneBitForBit) {
  for (const bool adapter : {false, true}) {
    const std::string name = adapter ? "adapter" : "full";
    const auto edit = [&](nlohmann::json& recipe) {
      recipe["stages"][0]["preference"] = {{"losses", {{"sigmoid", 0.8}, {"bco_pair", 0.2}}},
                                           {"truth_nll", 0.1}};
      if (adapter) recipe["adapter"] = {{"rank", 3}, {"alpha", 6}, {"dropout", 0.2}};
    };
    ASSERT_EQ(run(name, edit), TrainOutcome::finished);
    // Stops after each step, and goes on in another process as far as it knows.
    for (int part = 0; part < 6; ++part) {
      std::stop_source stop;
      stop.request_stop();
      run(name + "_parts", edit, stop.get_token());
    }
    EXPECT_EQ(bytes_of(folder_ / name / "model" / "model.safetensors"),
              bytes_of(folder_ / (name + "_parts") / "model" / "model.safetensors"));
    EXPECT_EQ(bytes_of(folder_ / name / "reference.jsonl"),
              bytes_of(folder_ / (name + "_parts") / "reference.jsonl"));
    EXPECT_EQ(metrics_of(folder_ / name).back().at("loss"),
              metrics_of(folder_ / (name + "_parts")).back().at("loss"));
  }
}

TEST_F(PreferenceTraining, AnAdapterLearnsAloneAndIsWrittenTwice) {
  ASSERT_EQ(run("run",
                [](nlohmann::json& recipe) {
                  recipe["adapter"] = {
                      {"rank", 2}, {"alpha", 8}, {"target_modules", {"q_proj", "up_proj"}}};
                  recipe["recompute"] = true;
                }),
            TrainOutcome::finished);
  EXPECT_NEAR(metrics_of(folder_ / "run")[0].at("loss").get<double>(), std::log(2.0), 1e-6);
  const auto before = weights_of(*first_model()), after = weights(folder_ / "run" / "model");
  for (const auto& [path, tensor] : before) {
    const bool learned = path.find("q_proj.weight") != std::string::npos ||
                         path.find("mlp.up_proj.weight") != std::string::npos;
    EXPECT_EQ(at::equal(tensor, after.at(path)), !learned) << path;
  }
  expect_adapter_makes(after);
  const nlohmann::json config = test::read(folder_ / "run" / "adapter" / "adapter_config.json");
  EXPECT_EQ(config.at("r"), 2);
  EXPECT_FALSE(config.contains("modules_to_save"));
}

// What the adapter is trained beside is rounded, what is written with it is not.
TEST_F(PreferenceTraining, AnAdapterLearnsBesideLayersInEightBits) {
  const auto edit = [](const char* base) {
    return [base](nlohmann::json& recipe) {
      recipe["adapter"] = {{"rank", 2}, {"target_modules", {"q_proj", "up_proj"}}, {"base", base}};
      recipe["stages"][0]["train"] = {"*.lora_", "model.layers.1.mlp.down_proj."};
    };
  };
  ASSERT_EQ(run("run", edit("int8")), TrainOutcome::finished);
  ASSERT_EQ(run("whole", edit("whole")), TrainOutcome::finished);
  const auto rows = metrics_of(folder_ / "run"), whole = metrics_of(folder_ / "whole");
  EXPECT_NEAR(rows[0].at("loss").get<double>(), std::log(2.0), 1e-6);
  EXPECT_NE(rows[0].at("logps/chosen"), whole[0].at("logps/chosen")) << "nothing was rounded";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_NEAR(rows[i].at("loss").get<double>(), whole[i].at("loss").get<double>(), 0.01);
    EXPECT_NEAR(rows[i].at("logps/chosen").get<double>(), whole[i].at("logps/chosen").get<double>(),
                0.5);
  }
  const auto before = weights_of(*first_model()), after = weights(folder_ / "run" / "model");
  for (const auto& [path, tensor] : before) {
    const bool learned = path.find("q_proj.weight") != std::string::npos ||
                         path.find("mlp.up_proj.weight") != std::string::npos ||
                         path == "model.layers.1.mlp.down_proj.weight";
    EXPECT_EQ(at::equal(tensor, after.at(path)), !learned) << path;
  }
  expect_adapter_makes(after);
  std::ifstream cache(folder_ / "run" / "reference.jsonl");
  std::string first;
  std::getline(cache, first);
  EXPECT_THAT(first, HasSubstr("layers in 8 bits"));
}

// What is dropped is the same for any number of workers, and where layers are computed again.
TEST_F(PreferenceTraining, DropoutChangesWhatAnAdapterLearnsAndNothingElse) {
  const auto trained = [&](const std::string& name, double dropout, bool recompute, int workers) {
    EXPECT_EQ(run(name,
                  [&](nlohmann::json& recipe) {
                    recipe["adapter"] = {{"rank", 2}, {"dropout", dropout}};
                    recipe["recompute"] = recompute;
                    recipe["workers"] = workers;
                  }),
              TrainOutcome::finished);
    EXPECT_NEAR(metrics_of(folder_ / name)[0].at("loss").get<double>(), std::log(2.0), 1e-6);
    return bytes_of(folder_ / name / "model" / "model.safetensors");
  };
  const std::string dropped = trained("dropped", 0.3, false, 1);
  EXPECT_NE(trained("plain", 0, false, 1), dropped);
  EXPECT_EQ(trained("again", 0.3, true, 1), dropped);
  EXPECT_EQ(trained("two", 0.3, false, 2), dropped);
  const nlohmann::json config = test::read(folder_ / "dropped" / "adapter" / "adapter_config.json");
  EXPECT_EQ(config.at("lora_dropout"), 0.3);
}

TEST_F(PreferenceTraining, WeightsBesideAnAdapterGetAReferenceOfTheirOwn) {
  ASSERT_EQ(run("run",
                [](nlohmann::json& recipe) {
                  recipe["adapter"] = {{"rank", 2}};
                  recipe["stages"][0]["train"] = {"*.lora_", "visual.merger."};
                }),
            TrainOutcome::finished);
  const auto rows = metrics_of(folder_ / "run");
  EXPECT_EQ(rows[0].at("rewards/margins"), 0);
  // In the second epoch every pair is known: rewards still measure from the first weights.
  EXPECT_GT(std::abs(rows.back().at("rewards/margins").get<double>()), 0);
  const auto before = weights_of(*first_model()), after = weights(folder_ / "run" / "model");
  EXPECT_FALSE(
      at::equal(before.at("visual.merger.mlp.0.weight"), after.at("visual.merger.mlp.0.weight")));
  EXPECT_TRUE(at::equal(before.at("model.norm.weight"), after.at("model.norm.weight")));
  expect_adapter_makes(after);
}

TEST_F(PreferenceTraining, RanksTogetherLearnWhatOneLearns) {
  const Recipe recipe = read_recipe(recipe_file([](nlohmann::json& json) {
    json["stages"][0]["clips_per_step"] = 1;
    json["stages"][0]["accumulate"] = 2;
    json["stages"][0]["preference"] = {{"losses", {{"sigmoid", 1}, {"bco_pair", 0.5}}}};
  }));
  ASSERT_EQ(train(recipe, {folder_ / "one"}), TrainOutcome::finished);
  const auto failures = test::run_rank_threads(2, [&](const Launch& launch) {
    TrainOptions options{folder_ / "two"};
    options.launch = launch;
    options.rank_limit = std::chrono::seconds(120);
    train(recipe, options);
  });
  for (const std::exception_ptr& failure : failures) EXPECT_EQ(failure, nullptr);
  const auto one = metrics_of(folder_ / "one"), two = metrics_of(folder_ / "two");
  ASSERT_EQ(one.size(), two.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    for (const char* key : {"loss", "rewards/chosen", "rewards/rejected", "logps/chosen"})
      EXPECT_NEAR(one[i].at(key).get<double>(), two[i].at(key).get<double>(), 1e-4) << i << key;
  }
  EXPECT_TRUE(fs::exists(folder_ / "two" / "reference.0of2.jsonl"));
  EXPECT_TRUE(fs::exists(folder_ / "two" / "reference.1of2.jsonl"));
}

TEST_F(PreferenceTraining, FrozenTowersEncodeAVideoOnce) {
  const auto edit = [](nlohmann::json& recipe) { recipe["adapter"] = {{"rank", 2}}; };
  ASSERT_EQ(run("plain", edit), TrainOutcome::finished);
  ASSERT_EQ(run("kept",
                [&](nlohmann::json& recipe) {
                  edit(recipe);
                  recipe["media_cache_mb"] = 8;
                }),
            TrainOutcome::finished);
  const auto plain = metrics_of(folder_ / "plain"), kept = metrics_of(folder_ / "kept");
  for (std::size_t i = 0; i < plain.size(); ++i)
    EXPECT_NEAR(plain[i].at("loss").get<double>(), kept[i].at("loss").get<double>(), 1e-4);
  EXPECT_EQ(kept[0].at("rewards/margins"), 0);
}

TEST_F(PreferenceTraining, AReferenceThatIsNotThePolicyIsNoticedAtTheFirstStep) {
  nlohmann::json row = nlohmann::json::parse(row_of("a.mp4", "It moves.", "A ring.", "A circle."));
  row["pair"] = {{"reference", {{"model", "x"}, {"chosen", -2}, {"rejected", -90}}}};
  std::ofstream(folder_ / "pairs.jsonl") << row.dump() << "\n";
  try {
    run("run", [](nlohmann::json&) {});
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("step 1: the loss on pairs is"));
    EXPECT_THAT(error.what(), HasSubstr("and not 0.693147"));
    EXPECT_THAT(error.what(),
                HasSubstr("the policy is not its reference; leave log-probabilities"));
  }
}

TEST_F(PreferenceTraining, PairsOfAnotherModelAreRefusedByTheirLine) {
  ASSERT_EQ(run("first", [](nlohmann::json&) {}), TrainOutcome::finished);
  nlohmann::json row = nlohmann::json::parse(row_of("a.mp4", "It moves.", "A ring.", "A circle."));
  row["pair"] = {{"sampling", {{"model", std::string(64, 'e')}}}};
  std::ofstream(folder_ / "pairs.jsonl") << row.dump() << "\n";
  const auto from_first = [&](nlohmann::json& recipe) {
    recipe.erase("random_weights");
    recipe["model"] = (folder_ / "first" / "model").string();
  };
  try {
    run("second", from_first);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("pairs.jsonl line 1: pair.sampling: is of the model eeeeeeeeeeee, the "
                          "reference is " +
                          weights_sha256(folder_ / "first" / "model").substr(0, 12)));
  }
  row["pair"]["sampling"]["model"] = weights_sha256(folder_ / "first" / "model");
  std::ofstream(folder_ / "pairs.jsonl") << row.dump() << "\n";
  EXPECT_EQ(run("third", from_first), TrainOutcome::finished);
}

TEST_F(PreferenceTraining, RecipesThatDoNotFitAreRefused) {
  EXPECT_THAT(refusal("stages.0.preference.losses={\"kto\":1}"),
              HasSubstr("losses.kto: is no preference loss; use sigmoid, robust, hinge"));
  EXPECT_THAT(refusal("stages.0.preference.losses={\"sigmoid\":0}"),
              HasSubstr("preference: gives every loss weight 0"));
  EXPECT_THAT(refusal("stages.0.preference.beta=0"), HasSubstr("beta: is 0, expected"));
  EXPECT_THAT(refusal("stages.0.objectives={\"next_token\":1}"),
              HasSubstr("preference: stands beside objectives"));
  EXPECT_THAT(refusal("stages.0.data={\"synth\":{\"dense_captions\":1}}"),
              HasSubstr("synth: has no pairs of answers"));
  EXPECT_THAT(refusal("adapter.target_modules=[]"), HasSubstr("adapter: names no module"));
  EXPECT_THAT(refusal("adapter.base=int4"),
              HasSubstr("adapter.base: is 'int4'; use one of: whole, int8"));
  EXPECT_THAT(refusal(R"(adapter={"base": "int8"})",
                      R"(weights_from=[{"model": "first", "weights": ["model."]}])"),
              HasSubstr("adapter: keeps in 8 bits what weights_from would change; leave one of "
                        "them out"));
  const fs::path file =
      recipe_file([](nlohmann::json& recipe) { recipe["stages"].push_back(recipe["stages"][0]); });
  EXPECT_THROW(read_recipe(file), ConfigError);
  try {
    run("typo", [](nlohmann::json& recipe) {
      recipe["adapter"] = {{"target_modules", {"q_proj", "q_prj"}}};
    });
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'q_prj' is the end of no dense layer's name"));
  }
}

}  // namespace
}  // namespace tarsier
