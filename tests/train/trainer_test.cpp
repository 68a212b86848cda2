#include "tarsier/train/trainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <limits>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/manifest.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/models/registry.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

using test::fresh_folder;
using test::make_tiny_model;
using test::metrics_of;
using test::write_recipe;
namespace fs = std::filesystem;

constexpr auto kAsIs = [](nlohmann::json&) {};

class Trainer : public ::testing::Test {
 protected:
  void SetUp() override {
    set_log_sink([this](LogLevel, std::string_view line) { log += std::string(line) + "\n"; });
  }
  void TearDown() override { set_log_sink({}); }
  std::string log;
};

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_F(Trainer, LeavesAModelOthersCanLoadAndALineAStep) {
  const fs::path folder = fresh_folder("whole");
  const Recipe recipe = read_recipe(write_recipe(folder, make_tiny_model(folder), kAsIs));
  EXPECT_EQ(train(recipe, {folder / "run"}), TrainOutcome::finished);
  EXPECT_TRUE(verify_directory(folder / "run" / "model").empty());
  EXPECT_EQ(load_model(folder / "run" / "model")->info().family, "tarsier2");
  const auto rows = metrics_of(folder / "run");
  ASSERT_EQ(rows.size(), 6u);
  EXPECT_EQ(rows.back().at("step"), 6);
  EXPECT_EQ(rows.back().at("stage"), "all");
  EXPECT_TRUE(fs::exists(folder / "run" / "report.html"));
  EXPECT_EQ(test::read(folder / "run" / "recipe.json").at("seed"), 5);
  EXPECT_EQ(test::read(folder / "run" / "machine.json").at("compute"), "f32");
  EXPECT_GT(rows.back().at("next_token").get<double>(), 0);
  EXPECT_EQ(rows.front().at("next_token").get<double>(), 0);
  for (const nlohmann::json& row : rows) {
    EXPECT_GE(row.at("starved_share").get<double>(), 0);
    EXPECT_LT(row.at("starved_share").get<double>(), 1);
  }
  EXPECT_EQ(
      std::count_if(fs::directory_iterator(folder / "run"), fs::directory_iterator(),
                    [](const fs::directory_entry& entry) {
                      return entry.path().filename().string().starts_with("events.out.tfevents.");
                    }),
      1);
}

TEST_F(Trainer, LogsGroupsTokensAndArithmetic) {
  const fs::path folder = fresh_folder("logs");
  const auto grouped = [](nlohmann::json& recipe) {
    recipe["stages"][1]["groups"] = {{{"match", "*.mlp."}, {"rate", 0.5}}};
    recipe["stages"][1]["schedule"] = "constant";
  };
  const Recipe recipe = read_recipe(write_recipe(folder, make_tiny_model(folder), grouped));
  ASSERT_EQ(train(recipe, {folder / "run"}), TrainOutcome::finished);
  const auto rows = metrics_of(folder / "run");
  ASSERT_EQ(rows.size(), 6u);
  for (const nlohmann::json& row : rows) {
    double squares = 0;
    for (const auto& [key, value] : row.items()) {
      if (key.starts_with("gradient_norm/")) squares += value.get<double>() * value.get<double>();
    }
    const double norm = row.at("gradient_norm").get<double>();
    EXPECT_NEAR(std::sqrt(squares), norm, 1e-9 * norm);
    EXPECT_GT(row.at("mfu").get<double>(), 0);
    EXPECT_GT(row.at("model_flops_per_second").get<double>(), 0);
    EXPECT_GT(row.at("visual_token_share").get<double>(), 0);
    EXPECT_LT(row.at("visual_token_share").get<double>(), 1);
    EXPECT_EQ(row.at("bad_samples"), 0);
  }
  EXPECT_FALSE(rows[0].contains("rate/*.mlp."));
  EXPECT_EQ(rows[5].at("rate/*.mlp."), 0.5 * rows[5].at("rate").get<double>());
  EXPECT_EQ(rows[5].at("rate/projector"), rows[5].at("rate"));  // whose mlp stands at its end
  EXPECT_NE(log.find("GFLOP/s, measured in f32 matrix products on 1 thread; mfu is a share of it"),
            std::string::npos)
      << log;
}

TEST_F(Trainer, AResumedRunKeepsTheComputeThatAutoFound) {
  const fs::path folder = fresh_folder("auto");
  const fs::path file = write_recipe(folder, make_tiny_model(folder), kAsIs);
  const Recipe recipe = read_recipe(file, {"compute=auto"});
  std::stop_source stop;
  stop.request_stop();
  ASSERT_EQ(train(recipe, {folder / "run", true, stop.get_token()}), TrainOutcome::stopped);
  const std::string compute = test::read(folder / "run" / "machine.json").at("compute");
  EXPECT_NE(log.find("compute: " + compute + " ("), std::string::npos) << log;
  EXPECT_EQ(
      test::read(folder / "run" / "checkpoints" / "step-00000001" / "state.json").at("compute"),
      compute);
  log.clear();
  ASSERT_EQ(train(recipe, {folder / "run", true, stop.get_token()}), TrainOutcome::stopped);
  EXPECT_NE(log.find("compute: " + compute + " (kept from the checkpoint)"), std::string::npos)
      << log;
  EXPECT_EQ(test::read(folder / "run" / "machine.json").at("compute"), compute);
}

TEST_F(Trainer, FrozenWeightsStayAsTheyWere) {
  const fs::path folder = fresh_folder("frozen");
  const fs::path model = make_tiny_model(folder);
  const auto first_stage = [](nlohmann::json& recipe) { recipe["stages"].erase(1); };
  ASSERT_EQ(train(read_recipe(write_recipe(folder, model, first_stage)), {folder / "run"}),
            TrainOutcome::finished);
  LoadOptions fresh;
  fresh.random_weights = 3;
  fresh.dtype = at::kFloat;
  const auto before = load_model(model, fresh), after = load_model(folder / "run" / "model");
  std::map<std::string, Tensor> start;
  before->visit(Scope([&](const std::string& path, Tensor& tensor) { start[path] = tensor; }));
  after->visit(Scope([&](const std::string& path, Tensor& tensor) {
    const bool trained = path.starts_with("visual.") || path.starts_with("model.embed_tokens.");
    EXPECT_EQ(at::equal(tensor, start[path]), !trained) << path;
  }));
}

TEST_F(Trainer, ResumedRunEqualsUnbrokenRunBitForBit) {
  const fs::path folder = fresh_folder("resume");
  const Recipe recipe = read_recipe(write_recipe(folder, make_tiny_model(folder), kAsIs));
  ASSERT_EQ(train(recipe, {folder / "straight"}), TrainOutcome::finished);
  // A stop that is requested at once ends the run after one step: every step runs in a process-like
  // attempt of its own.
  std::stop_source stop;
  stop.request_stop();
  int attempts = 0;
  while (train(recipe, {folder / "broken", true, stop.get_token()}) == TrainOutcome::stopped)
    ++attempts;
  EXPECT_EQ(attempts, 5);
  EXPECT_EQ(bytes_of(folder / "straight" / "model" / "model.safetensors"),
            bytes_of(folder / "broken" / "model" / "model.safetensors"));
  const auto straight = metrics_of(folder / "straight"), broken = metrics_of(folder / "broken");
  ASSERT_EQ(straight.size(), broken.size());
  for (std::size_t i = 0; i < straight.size(); ++i)
    EXPECT_EQ(straight[i].at("loss"), broken[i].at("loss")) << i;
}

TEST_F(Trainer, PackedRunResumesBitForBit) {
  const fs::path folder = fresh_folder("packed");
  const auto packed = [](nlohmann::json& recipe) {
    nlohmann::json& stage = recipe["stages"][1];
    stage.erase("clips_per_step");
    stage["pack_tokens"] = 700;
    stage["pack_window"] = 2;
  };
  const Recipe recipe = read_recipe(write_recipe(folder, make_tiny_model(folder), packed));
  ASSERT_EQ(train(recipe, {folder / "straight"}), TrainOutcome::finished);
  std::stop_source stop;
  stop.request_stop();
  while (train(recipe, {folder / "broken", true, stop.get_token()}) == TrainOutcome::stopped) {
  }
  EXPECT_EQ(bytes_of(folder / "straight" / "model" / "model.safetensors"),
            bytes_of(folder / "broken" / "model" / "model.safetensors"));
  const nlohmann::json state =
      test::read(folder / "broken" / "checkpoints" / "step-00000006" / "state.json");
  EXPECT_EQ(state.at("waiting").size(), 2u);
}

TEST_F(Trainer, ExportsTheAveragesAndResumesThemBitForBit) {
  const fs::path folder = fresh_folder("averages");
  const fs::path file = write_recipe(folder, make_tiny_model(folder), kAsIs);
  const Recipe plain = read_recipe(file), averaging = read_recipe(file, {"ema=0.9"});
  ASSERT_EQ(train(plain, {folder / "plain"}), TrainOutcome::finished);
  ASSERT_EQ(train(averaging, {folder / "straight"}), TrainOutcome::finished);
  std::stop_source stop;
  stop.request_stop();
  while (train(averaging, {folder / "broken", true, stop.get_token()}) == TrainOutcome::stopped) {
  }
  const auto model_of = [&](const char* run) {
    return bytes_of(folder / run / "model" / "model.safetensors");
  };
  EXPECT_TRUE(model_of("straight") == model_of("broken"));
  EXPECT_FALSE(model_of("straight") == model_of("plain"));
  // The averages do not touch what learns.
  const auto one = metrics_of(folder / "plain"), two = metrics_of(folder / "straight");
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i].at("loss"), two[i].at("loss")) << i;
  const SafetensorsFile state(folder / "straight" / "checkpoints" / "step-00000006" /
                              "state.safetensors"),
      model(folder / "straight" / "model" / "model.safetensors");
  const auto& average = state.tensors().at("average.model.norm.weight");
  const auto& exported = std::find_if(model.tensors().begin(), model.tensors().end(), [](auto& t) {
                           return t.first.ends_with("model.norm.weight");
                         })->second;
  EXPECT_TRUE(std::ranges::equal(average.bytes, exported.bytes));
}

TEST_F(Trainer, GroupThatNamesNoWeightIsRefusedBeforeTheFirstStep) {
  const fs::path folder = fresh_folder("groups");
  const fs::path file = write_recipe(folder, make_tiny_model(folder), kAsIs);
  const auto refusal = [&](const std::string& setting) -> std::string {
    try {
      train(read_recipe(file, {setting}), {folder / "run"});
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no error";
  };
  const std::string why =
      "'vision.' is the beginning of no weight's path; use patterns such as visual.blocks. or "
      "*.mlp.";
  EXPECT_EQ(refusal(R"(stages.1.groups=[{"match":"vision.","rate":0.1}])"),
            "stage all: groups: " + why);
  EXPECT_EQ(refusal(R"(stages.1.train=["visual.","vision."])"), "stage all: train, freeze: " + why);
  EXPECT_EQ(refusal(R"(stages.1.freeze=["vision."])"), "stage all: train, freeze: " + why);
  EXPECT_EQ(refusal(R"(stages.1.freeze=[""])"),
            "stage all: train: names no weight of the model; use patterns such as visual. or "
            "model.layers.");
  EXPECT_FALSE(fs::exists(folder / "run" / "checkpoints"));
}

TEST_F(Trainer, WorkersChangeNoBit) {
  const fs::path folder = fresh_folder("workers");
  const fs::path model = make_tiny_model(folder);
  const auto by_muon = [](nlohmann::json& recipe) { recipe["stages"][1]["optimizer"] = "muon"; };
  const int threads = at::get_num_threads();
  for (const int workers : {1, 2}) {
    at::set_num_threads(workers);
    const Recipe recipe =
        read_recipe(write_recipe(folder, model, by_muon), {"workers=" + std::to_string(workers)});
    ASSERT_EQ(train(recipe, {folder / std::to_string(workers)}), TrainOutcome::finished);
  }
  at::set_num_threads(threads);
  const auto one = metrics_of(folder / "1"), two = metrics_of(folder / "2");
  ASSERT_EQ(one.size(), two.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].at("loss"), two[i].at("loss")) << i;
    EXPECT_EQ(one[i].at("gradient_norm"), two[i].at("gradient_norm")) << i;
  }
  EXPECT_TRUE(bytes_of(folder / "1" / "model" / "model.safetensors") ==
              bytes_of(folder / "2" / "model" / "model.safetensors"));
}

TEST_F(Trainer, RunKilledBeforeItsModelWasWrittenWritesItWhenStartedAgain) {
  const fs::path folder = fresh_folder("no_model");
  const Recipe recipe = read_recipe(write_recipe(folder, make_tiny_model(folder), kAsIs));
  ASSERT_EQ(train(recipe, {folder / "run"}), TrainOutcome::finished);
  fs::remove_all(folder / "run" / "model");
  EXPECT_EQ(train(recipe, {folder / "run"}), TrainOutcome::finished);
  EXPECT_TRUE(verify_directory(folder / "run" / "model").empty());
}

std::vector<nlohmann::json> rows_of(const fs::path& file) {
  std::vector<nlohmann::json> rows;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) rows.push_back(nlohmann::json::parse(line));
  return rows;
}

TEST_F(Trainer, SampleAnswersChangeNoBitAndAreTheSameAfterAResume) {
  const fs::path folder = fresh_folder("samples");
  const fs::path file = write_recipe(folder, make_tiny_model(folder), kAsIs);
  const Recipe silent = read_recipe(file),
               speaking = read_recipe(file, {"sample_every=2", "sample_clips=2"});
  ASSERT_EQ(train(silent, {folder / "silent"}), TrainOutcome::finished);
  ASSERT_EQ(train(speaking, {folder / "speaking"}), TrainOutcome::finished);
  EXPECT_TRUE(bytes_of(folder / "silent" / "model" / "model.safetensors") ==
              bytes_of(folder / "speaking" / "model" / "model.safetensors"));
  const auto rows = rows_of(folder / "speaking" / "samples.jsonl");
  ASSERT_EQ(rows.size(), 16u);  // steps 4 and 6 of the stage that speaks; 2 clips, 4 questions each
  EXPECT_EQ(rows[0].at("step"), 4);
  EXPECT_EQ(rows[0].at("stage"), "all");
  EXPECT_EQ(rows[0].at("id"), "synth easy/validation/2/0");
  EXPECT_EQ(rows[0].at("prompt"), "Describe the video in detail.");
  EXPECT_EQ(rows[0].at("truth").get<std::string>().find("<|"), std::string::npos);
  EXPECT_EQ(rows[0].at("truth").get<std::string>().back(), '.');
  EXPECT_NE(rows[0].at("answer"), "");
  EXPECT_FALSE(fs::exists(folder / "silent" / "samples.jsonl"));

  // Killed after step 5, with answers of a step that is done again.
  fs::remove_all(folder / "speaking" / "checkpoints" / "step-00000006");
  ASSERT_EQ(train(speaking, {folder / "speaking"}), TrainOutcome::finished);
  EXPECT_EQ(rows_of(folder / "speaking" / "samples.jsonl"), rows);
}

TEST_F(Trainer, DamagedCheckpointIsNamedAndTheOneBeforeIsUsed) {
  const fs::path folder = fresh_folder("damaged");
  const Recipe recipe = read_recipe(write_recipe(folder, make_tiny_model(folder), kAsIs));
  ASSERT_EQ(train(recipe, {folder / "run"}), TrainOutcome::finished);
  const std::string result = bytes_of(folder / "run" / "model" / "model.safetensors");
  const fs::path newest = folder / "run" / "checkpoints" / "step-00000006";
  ASSERT_TRUE(fs::exists(newest));
  std::string state = bytes_of(newest / "state.safetensors");
  state[state.size() / 2] ^= 1;
  std::ofstream(newest / "state.safetensors", std::ios::binary) << state;
  fs::remove_all(folder / "run" / "model");
  log.clear();
  EXPECT_EQ(train(recipe, {folder / "run"}), TrainOutcome::finished);
  EXPECT_NE(log.find("state.safetensors"), std::string::npos);
  EXPECT_NE(log.find("resuming at step 4"), std::string::npos);
  EXPECT_EQ(bytes_of(folder / "run" / "model" / "model.safetensors"), result);
}

TEST_F(Trainer, CheckpointOfAnotherRecipeIsRefused) {
  const fs::path folder = fresh_folder("other_recipe");
  const fs::path model = make_tiny_model(folder);
  std::stop_source stop;
  stop.request_stop();
  ASSERT_EQ(train(read_recipe(write_recipe(folder, model, kAsIs)),
                  {folder / "run", true, stop.get_token()}),
            TrainOutcome::stopped);
  const Recipe other = read_recipe(folder / "recipe.jsonc", {"seed=6"});
  EXPECT_THROW(train(other, {folder / "run"}), CheckpointError);
}

TEST_F(Trainer, GoesOnFromAnotherRunsCheckpoint) {
  const fs::path folder = fresh_folder("elsewhere");
  const Recipe recipe = read_recipe(write_recipe(folder, make_tiny_model(folder), kAsIs));
  TrainOptions options{folder / "other"};
  options.resume_from = folder / "first";
  fs::create_directories(folder / "first" / "checkpoints");
  try {
    train(recipe, options);
    FAIL() << "there is nothing to go on from";
  } catch (const CheckpointError& error) {
    EXPECT_NE(std::string(error.what()).find("first: holds no whole checkpoint; pass the --out"),
              std::string::npos)
        << error.what();
  }
  std::stop_source stop;
  stop.request_stop();
  ASSERT_EQ(train(recipe, {folder / "first", true, stop.get_token()}), TrainOutcome::stopped);
  options.stop = stop.get_token();
  log.clear();
  ASSERT_EQ(train(recipe, options), TrainOutcome::stopped);
  EXPECT_NE(log.find("resuming at step 1 of 6"), std::string::npos);
  log.clear();
  ASSERT_EQ(train(recipe, options), TrainOutcome::stopped);  // now from its own
  EXPECT_NE(log.find("resuming at step 2 of 6"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder / "first" / "checkpoints" / "step-00000002"));
}

TEST_F(Trainer, StopsAfterTenStepsThatAreNotFiniteAndNamesTheirSamples) {
  const fs::path folder = fresh_folder("nan");
  const fs::path model = make_tiny_model(folder);
  LoadOptions fresh;
  fresh.random_weights = 3;
  fresh.dtype = at::kFloat;
  const auto poisoned = load_model(model, fresh);
  poisoned->visit(Scope([](const std::string& path, Tensor& tensor) {
    if (path == "model.norm.weight") tensor.fill_(std::numeric_limits<float>::quiet_NaN());
  }));
  save_weights(*poisoned, model, at::kFloat);
  const auto long_run = [](nlohmann::json& recipe) {
    recipe.erase("random_weights");
    recipe["stages"].erase(0);
    recipe["stages"][0]["steps"] = 20;
  };
  EXPECT_EQ(train(read_recipe(write_recipe(folder, model, long_run)), {folder / "run"}),
            TrainOutcome::diverged);
  EXPECT_EQ(metrics_of(folder / "run").size(), 10u);
  EXPECT_NE(log.find("not finite; skipped (synth easy/train/2/0"), std::string::npos);
}

TEST_F(Trainer, FullDiskKeepsTheEarlierCheckpoint) {
  const fs::path folder = fresh_folder("full_disk");
  const Recipe recipe = read_recipe(write_recipe(folder, make_tiny_model(folder), kAsIs));
  std::stop_source stop;
  stop.request_stop();
  ASSERT_EQ(train(recipe, {folder / "run", true, stop.get_token()}), TrainOutcome::stopped);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{20000, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THROW(train(recipe, {folder / "run", true, stop.get_token()}), ResourceError);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_TRUE(verify_directory(folder / "run" / "checkpoints" / "step-00000001").empty());
  EXPECT_EQ(train(recipe, {folder / "run"}), TrainOutcome::finished);
}

TEST_F(Trainer, TrainsOnRowsOfATextFileAndCountsBadOnes) {
  const fs::path folder = fresh_folder("jsonl");
  const fs::path model = make_tiny_model(folder);
  std::ofstream(folder / "rows.jsonl")
      << R"({"messages":[{"role":"user","content":[{"type":"video","video":{"video_file":"none.mp4"}},{"type":"text","text":"Describe."}]},{"role":"assistant","content":[{"type":"text","text":"red"}]}]})"
      << "\n";
  const auto rows = [&](nlohmann::json& recipe) {
    recipe["stages"].erase(0);
    recipe["stages"][0]["objectives"] = {{"next_token", 1}};
    recipe["stages"][0]["data"] = {{"jsonl", {{"file", "rows.jsonl"}}}};
  };
  try {
    train(read_recipe(write_recipe(folder, model, rows)), {folder / "run"});
    FAIL() << "a run without one usable sample must stop";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("rows.jsonl line 1"), std::string::npos)
        << error.what();
    EXPECT_NE(std::string(error.what()).find("more than max_bad"), std::string::npos);
  }
}

TEST_F(Trainer, MalformedRowIsNamedBeforeTrainingStarts) {
  const fs::path folder = fresh_folder("bad_row");
  const fs::path model = make_tiny_model(folder);
  const auto rows = [&](nlohmann::json& recipe) {
    recipe["stages"].erase(0);
    recipe["stages"][0]["objectives"] = {{"next_token", 1}};
    recipe["stages"][0]["data"] = {{"jsonl", {{"file", "rows.jsonl"}}}};
  };
  const auto message_for = [&](const std::string& row) -> std::string {
    std::ofstream(folder / "rows.jsonl") << row << "\n";
    try {
      train(read_recipe(write_recipe(folder, model, rows)), {folder / "run"});
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message_for(R"({"messages":[{"role":"assistant","content":"x"}]})"),
            "rows.jsonl line 1: turns[0]: is the assistant's, expected the user's; turns "
            "alternate, the user's first");
  EXPECT_NE(message_for("{").find("rows.jsonl line 1: is not valid JSON"), std::string::npos);
}

}  // namespace
}  // namespace tarsier
