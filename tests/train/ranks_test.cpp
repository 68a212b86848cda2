#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/models/registry.h"
#include "tarsier/train/trainer.h"
#include "tests/train/rank_threads.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

using test::fresh_folder;
using test::make_tiny_model;
using test::metrics_of;
using test::write_recipe;
namespace fs = std::filesystem;

// Four micro-batches a step: 1, 2 and 4 ranks share them evenly.
void share_four(nlohmann::json& recipe) {
  for (nlohmann::json& stage : recipe["stages"]) {
    stage["clips_per_step"] = 1;
    stage["accumulate"] = 4;
  }
}

class Ranks : public ::testing::Test {
 protected:
  void SetUp() override {
    set_log_sink([this](LogLevel, std::string_view line) { log += std::string(line) + "\n"; });
  }
  void TearDown() override { set_log_sink({}); }

  // Trains as `size` ranks; every rank's outcome must be the same. `stopping` ranks are asked to
  // stop.
  TrainOutcome train_as(std::int64_t size, const Recipe& recipe, const fs::path& out,
                        std::vector<std::int64_t> stopping = {}) {
    std::vector<TrainOutcome> outcomes(static_cast<std::size_t>(size));
    const auto failures = test::run_rank_threads(size, [&](const Launch& launch) {
      std::stop_source stop;
      if (std::ranges::count(stopping, launch.rank) > 0) stop.request_stop();
      TrainOptions options{out, true, stop.get_token()};
      options.launch = launch;
      options.rank_limit = std::chrono::seconds(120);
      outcomes[static_cast<std::size_t>(launch.rank)] = train(recipe, options);
    });
    for (const std::exception_ptr& failure : failures) {
      if (failure) std::rethrow_exception(failure);
    }
    for (const TrainOutcome outcome : outcomes) EXPECT_EQ(outcome, outcomes[0]);
    return outcomes[0];
  }

  // What each rank threw, as text.
  static std::vector<std::string> errors_of(std::int64_t size,
                                            const std::function<void(const Launch&)>& body) {
    std::vector<std::string> texts;
    for (const std::exception_ptr& failure : test::run_rank_threads(size, body)) {
      try {
        if (failure) std::rethrow_exception(failure);
        texts.emplace_back("no error");
      } catch (const std::exception& error) {
        texts.emplace_back(error.what());
      }
    }
    return texts;
  }

  std::string log;
};

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// The farthest two files' f32 tensors are apart; infinity when they do not hold the same ones.
double distance(const fs::path& one, const fs::path& other) {
  const SafetensorsFile a(one), b(other);
  if (a.tensors().size() != b.tensors().size()) return std::numeric_limits<double>::infinity();
  double farthest = 0;
  for (const auto& [name, tensor] : a.tensors()) {
    const auto found = b.tensors().find(name);
    if (found == b.tensors().end() || found->second.shape != tensor.shape)
      return std::numeric_limits<double>::infinity();
    const std::size_t count = tensor.bytes.size() / sizeof(float);
    std::vector<float> x(count), y(count);
    std::memcpy(x.data(), tensor.bytes.data(), tensor.bytes.size());
    std::memcpy(y.data(), found->second.bytes.data(), tensor.bytes.size());
    for (std::size_t i = 0; i < count; ++i)
      farthest =
          std::max(farthest, std::abs(static_cast<double>(x[i]) - static_cast<double>(y[i])));
  }
  return farthest;
}

// Losses, accuracy and gradient norm of every step, relative to their size.
void expect_same_curve(const fs::path& one, const fs::path& other, double tolerance) {
  const auto a = metrics_of(one), b = metrics_of(other);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].at("step"), b[i].at("step"));
    for (const char* key :
         {"loss", "next_token", "token_accuracy", "visual_words", "event_probe", "gradient_norm"}) {
      const double x = a[i].at(key).get<double>(), y = b[i].at(key).get<double>();
      EXPECT_NEAR(x, y, tolerance * std::max(1.0, std::abs(x))) << key << " of step " << i + 1;
    }
  }
}

fs::path model_of(const fs::path& run) { return run / "model" / "model.safetensors"; }

fs::path newest_state(const fs::path& run) {
  return run / "checkpoints" / "step-00000006" / "state.safetensors";
}

struct Setting {
  const char* name;
  std::vector<std::string> overrides;
  double losses, weights;  // tolerances: relative, absolute
};

TEST_F(Ranks, OneTwoAndFourLearnTheSame) {
  const Setting settings[] = {
      {"adamw", {}, 1e-6, 5e-5},
      {"muon_ema",
       {R"(stages.0.optimizer="muon")", R"(stages.1.optimizer="muon")", "ema=0.9"},
       1e-6,
       5e-5},
      {"bf16", {R"(compute="bf16")", "ema=0.9"}, 1e-3, 1e-3},
  };
  for (const Setting& setting : settings) {
    const fs::path folder = fresh_folder(std::string("ranks_") + setting.name);
    const Recipe recipe =
        read_recipe(write_recipe(folder, make_tiny_model(folder), share_four), setting.overrides);
    ASSERT_EQ(train(recipe, {folder / "1"}), TrainOutcome::finished);
    for (const std::int64_t size : {2, 4}) {
      const fs::path run = folder / std::to_string(size);
      ASSERT_EQ(train_as(size, recipe, run), TrainOutcome::finished) << setting.name;
      expect_same_curve(folder / "1", run, setting.losses);
      EXPECT_LE(distance(model_of(folder / "1"), model_of(run)), setting.weights) << setting.name;
      // Weights, moments, counts and averages, all of them.
      EXPECT_LE(distance(newest_state(folder / "1"), newest_state(run)), setting.weights)
          << setting.name;
    }
    EXPECT_EQ(test::read(folder / "4" / "machine.json").at("ranks"), "4");
    EXPECT_TRUE(fs::exists(folder / "4" / "report.html"));
  }
}

TEST_F(Ranks, OneOfOneIsBitForBitAlone) {
  const fs::path folder = fresh_folder("one_rank");
  const Recipe recipe = read_recipe(write_recipe(folder, make_tiny_model(folder), share_four));
  ASSERT_EQ(train(recipe, {folder / "alone"}), TrainOutcome::finished);
  ASSERT_EQ(train_as(1, recipe, folder / "launched"), TrainOutcome::finished);
  EXPECT_TRUE(bytes_of(model_of(folder / "alone")) == bytes_of(model_of(folder / "launched")));
}

TEST_F(Ranks, TheSameNumberResumesBitForBit) {
  const fs::path folder = fresh_folder("ranks_resume");
  const Recipe recipe =
      read_recipe(write_recipe(folder, make_tiny_model(folder), share_four), {"ema=0.9"});
  ASSERT_EQ(train_as(2, recipe, folder / "straight"), TrainOutcome::finished);
  // Each start does one step: only the last rank is asked to stop, and all do.
  while (train_as(2, recipe, folder / "broken", {1}) == TrainOutcome::stopped) {
  }
  EXPECT_TRUE(bytes_of(model_of(folder / "straight")) == bytes_of(model_of(folder / "broken")));
  EXPECT_TRUE(bytes_of(newest_state(folder / "straight")) ==
              bytes_of(newest_state(folder / "broken")));
  expect_same_curve(folder / "straight", folder / "broken", 0);
}

TEST_F(Ranks, AnotherNumberResumesTheSameRun) {
  const Setting settings[] = {{"adamw", {"ema=0.9"}, 1e-6, 5e-5},
                              {"bf16", {R"(compute="bf16")"}, 1e-3, 1e-3}};
  for (const Setting& setting : settings) {
    const fs::path folder = fresh_folder(std::string("ranks_change_") + setting.name);
    const Recipe recipe =
        read_recipe(write_recipe(folder, make_tiny_model(folder), share_four), setting.overrides);
    ASSERT_EQ(train(recipe, {folder / "straight"}), TrainOutcome::finished);
    std::int64_t step = 0;
    for (const std::int64_t size : {1, 2, 4, 1, 2}) {
      ASSERT_EQ(train_as(size, recipe, folder / "changed", {0}), TrainOutcome::stopped);
      EXPECT_TRUE(fs::exists(folder / "changed" / "checkpoints" /
                             ("step-0000000" + std::to_string(++step))));
      if (size == 1) continue;
      EXPECT_NE(log.find("resuming at step " + std::to_string(step - 1)), std::string::npos);
    }
    ASSERT_EQ(train_as(4, recipe, folder / "changed"), TrainOutcome::finished);
    expect_same_curve(folder / "straight", folder / "changed", setting.losses);
    EXPECT_LE(distance(newest_state(folder / "straight"), newest_state(folder / "changed")),
              setting.weights);
    const auto state = [&](const char* run) {
      return test::read(folder / run / "checkpoints" / "step-00000006" / "state.json");
    };
    EXPECT_EQ(state("straight").at("samples"), state("changed").at("samples"));
    EXPECT_EQ(state("changed").at("good_samples"), 24);
  }
}

TEST_F(Ranks, MicroBatchesThatCannotBeSharedAreRefused) {
  const fs::path folder = fresh_folder("ranks_shares");
  const Recipe recipe = read_recipe(write_recipe(folder, make_tiny_model(folder), share_four),
                                    {"stages.1.accumulate=2"});
  TrainOptions options{folder / "run"};
  options.launch = Launch{0, 4, 0, "127.0.0.1", 1};
  try {
    train(recipe, options);
    FAIL() << "four ranks cannot share two micro-batches";
  } catch (const ConfigError& error) {
    EXPECT_EQ(
        std::string(error.what()),
        "stage all: accumulate: is 2, which 4 ranks cannot share evenly; use a multiple of 4, "
        "or another number of ranks; clips_per_step times accumulate stays the step's clips");
  }
  EXPECT_FALSE(fs::exists(folder / "run"));
}

TEST_F(Ranks, AnotherRecipeOnOneRankIsRefusedByAll) {
  const fs::path folder = fresh_folder("ranks_recipes");
  const fs::path file = write_recipe(folder, make_tiny_model(folder), share_four);
  const auto errors = errors_of(2, [&](const Launch& launch) {
    TrainOptions options{folder / "run"};
    options.launch = launch;
    train(read_recipe(file, {"seed=" + std::to_string(launch.rank)}), options);
  });
  for (const std::string& error : errors)
    EXPECT_EQ(error,
              "recipe: is not the same on every rank, or --max-bad is not; "
              "start every rank with the same command");
}

// Rows 2 and 4 of four name a file that is not there: whole micro-batches are without a sample.
void write_rows(const fs::path& folder) {
  fs::copy_file(fs::path(TARSIER_SOURCE_DIR) / "tests/fixtures/media/rgba.png",
                folder / "there.png", fs::copy_options::overwrite_existing);
  std::ofstream rows(folder / "rows.jsonl");
  for (const char* file : {"there.png", "none.png", "there.png", "none.png"})
    rows
        << R"({"messages":[{"role":"user","content":[{"type":"image","image":{"image_file":")"
        << file
        << R"("}},{"type":"text","text":"Describe."}]},{"role":"assistant","content":[{"type":"text","text":"red"}]}]})"
        << "\n";
}

void learn_rows(nlohmann::json& recipe) {
  share_four(recipe);
  recipe["stages"].erase(0);
  recipe["stages"][0]["objectives"] = {{"next_token", 1}};
  recipe["stages"][0]["data"] = {{"jsonl", {{"file", "rows.jsonl"}}}};
}

TEST_F(Ranks, BadSamplesAreLeftOutAlike) {
  const fs::path folder = fresh_folder("ranks_bad");
  write_rows(folder);
  const Recipe recipe =
      read_recipe(write_recipe(folder, make_tiny_model(folder), learn_rows), {"max_bad=0.9"});
  ASSERT_EQ(train(recipe, {folder / "1"}), TrainOutcome::finished);
  ASSERT_EQ(train_as(4, recipe, folder / "4"), TrainOutcome::finished);
  expect_same_curve(folder / "1", folder / "4", 1e-6);
  for (const char* run : {"1", "4"}) {
    const auto state = test::read(folder / run / "checkpoints" / "step-00000004" / "state.json");
    EXPECT_EQ(state.at("bad_samples"), 8) << run;
    EXPECT_EQ(state.at("good_samples"), 8) << run;
  }
}

TEST_F(Ranks, TooManyBadSamplesStopAllAtTheSameStep) {
  const fs::path folder = fresh_folder("ranks_max_bad");
  write_rows(folder);
  const Recipe recipe =
      read_recipe(write_recipe(folder, make_tiny_model(folder), learn_rows), {"max_bad=0.1"});
  const auto errors = errors_of(2, [&](const Launch& launch) {
    TrainOptions options{folder / "run"};
    options.launch = launch;
    train(recipe, options);
  });
  for (const std::string& error : errors)
    EXPECT_NE(error.find("2 of 4 samples cannot be used, more than max_bad 0.1"), std::string::npos)
        << error;
}

TEST_F(Ranks, TenStepsThatAreNotFiniteStopAll) {
  const fs::path folder = fresh_folder("ranks_nan");
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
    share_four(recipe);
    recipe.erase("random_weights");
    recipe["stages"].erase(0);
    recipe["stages"][0]["steps"] = 20;
  };
  EXPECT_EQ(train_as(2, read_recipe(write_recipe(folder, model, long_run)), folder / "run"),
            TrainOutcome::diverged);
  EXPECT_EQ(metrics_of(folder / "run").size(), 10u);
  // Each rank names its own.
  EXPECT_NE(log.find("skipped (synth easy/train/2/0, synth easy/train/2/2)"), std::string::npos);
  EXPECT_NE(log.find("skipped (synth easy/train/2/1, synth easy/train/2/3)"), std::string::npos);
}

TEST_F(Ranks, AnUnreadableCheckpointOfRankZeroEndsAll) {
  const fs::path folder = fresh_folder("ranks_other_recipe");
  const fs::path model = make_tiny_model(folder);
  const Recipe recipe = read_recipe(write_recipe(folder, model, share_four));
  ASSERT_EQ(train_as(2, recipe, folder / "run", {0}), TrainOutcome::stopped);
  const Recipe other = read_recipe(folder / "recipe.jsonc", {"seed=6"});
  const auto errors = errors_of(2, [&](const Launch& launch) {
    TrainOptions options{folder / "run"};
    options.launch = launch;
    options.rank_limit = std::chrono::seconds(20);
    train(other, options);
  });
  EXPECT_NE(errors[0].find("was made by another recipe"), std::string::npos) << errors[0];
  EXPECT_EQ(errors[1],
            "rank 0: stopped answering rank 1 (time limit 20 s); look at its log; the same command "
            "goes on from the newest checkpoint");
}

}  // namespace
}  // namespace tarsier
