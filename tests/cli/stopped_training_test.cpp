// Trainings that are told to stop, and disks that fill up (reliability T5, T11).
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <thread>

#include "tarsier/checkpoint/directory_commit.h"
#include "tarsier/checkpoint/manifest.h"
#include "tarsier/train/recipe.h"
#include "tests/cli/training_run.h"

namespace tarsier {
namespace {

using test::expect_equal_runs;
using test::TrainingRun;
using test::whole_metrics_of;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr auto kAsIs = [](nlohmann::json&) {};

template <class Reached>
void wait_until(RunningTarsier& program, const Reached& reached) {
  while (!reached() && program.is_running())
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// Also the recipe of checkpoint_order_test.py, which names a folder for it.
TEST(TrainingRecipe, IsReadWhereItWasWritten) {
  const ScratchFolder scratch;
  const char* named = std::getenv("TARSIER_RECIPE_FOLDER");
  const fs::path folder = named != nullptr ? fs::path(named) : scratch.path();
  const Recipe recipe =
      read_recipe(test::write_recipe(folder, test::make_tiny_model(folder), kAsIs));
  EXPECT_EQ(recipe.total_steps(), 6);
}

TEST(StoppedTraining, TerminationSavesAndAsksForAnotherTry) {
  const TrainingRun training([](nlohmann::json& recipe) {
    recipe["save_every"] = 1000;
    recipe["stages"][1]["steps"] = 60;
  });
  ASSERT_EQ(run_tarsier(training.command("straight")).exit_code, 0);
  const fs::path run = training.folder() / "run";
  for (const auto& [signal, exit_code] : {std::pair{SIGTERM, 75}, {SIGINT, 128 + SIGINT}}) {
    const std::size_t before = whole_metrics_of(run).size();
    RunningTarsier program(training.command("run"));
    wait_until(program, [&] { return whole_metrics_of(run).size() > before + 2; });
    program.send(signal);
    const ProgramResult result = program.wait();
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_THAT(result.err, HasSubstr("stopped; the same command goes on from here"));
    EXPECT_EQ(result.out, "");
    const auto step = whole_metrics_of(run).back().at("step").get<std::int64_t>();
    EXPECT_LT(step, 62);
    EXPECT_TRUE(verify_directory(run / "checkpoints" / fmt::format("step-{:08}", step)).empty());
  }
  ASSERT_EQ(run_tarsier(training.command("run")).exit_code, 0);
  expect_equal_runs(training.folder() / "straight", run, "step-00000062");
}

// The step is long, so that the second signal comes within it.
TEST(StoppedTraining, SecondSignalEndsAtOnce) {
  const TrainingRun training([](nlohmann::json& recipe) {
    recipe["stages"].erase(0);
    recipe["stages"][0]["clips_per_step"] = 500;
  });
  RunningTarsier program(training.command("run"));
  wait_until(program, [&] { return fs::exists(training.folder() / "run" / "machine.json"); });
  program.send(SIGTERM);
  wait_until(program, [&] { return program.err().find("stopping;") != std::string::npos; });
  program.send(SIGTERM);
  const ProgramResult result = program.wait();
  EXPECT_EQ(result.exit_code, 128 + SIGTERM) << result.err;
  EXPECT_FALSE(fs::exists(training.folder() / "run" / "checkpoints" / "step-00000001"));
}

TEST(FullDisk, WhileSavingIsNamedAndCostsOneInterval) {
  const TrainingRun training([](nlohmann::json& recipe) {
    recipe["stages"][0]["steps"] = 3;
    recipe["stages"][1]["steps"] = 3;
  });
  ASSERT_EQ(run_tarsier(training.command("straight")).exit_code, 0);
  const fs::path run = training.folder() / "run", first = run / "checkpoints" / "step-00000002";
  // Up to the first checkpoint, then with room for logs alone.
  const std::vector<std::string> command = training.command("run");
  {
    RunningTarsier program(command);
    wait_until(program, [&] { return fs::exists(first); });
    program.send(SIGKILL);
    program.wait();
  }
  const ProgramResult full = RunningTarsier(command, {}, 100'000).wait();
  EXPECT_EQ(full.exit_code, 6) << full.err;
  EXPECT_THAT(full.err, HasSubstr("state.safetensors: cannot be written: File too large; free disk "
                                  "space and run the same command again"));
  EXPECT_TRUE(verify_directory(first).empty());
  const ProgramResult resumed = run_tarsier(command);
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("resuming at step "));
  expect_equal_runs(training.folder() / "straight", run, "step-00000006");
}

/// A small disk, where the test may make one.
class SmallDisk {
 public:
  explicit SmallDisk(fs::path folder) : folder_(std::move(folder)) {
    fs::create_directories(folder_);
  }
  ~SmallDisk() {
    if (mounted_) ::umount(folder_.c_str());
  }
  bool resize(std::int64_t bytes) {
    const std::string options = fmt::format("size={}", bytes);
    const unsigned long flags = mounted_ ? MS_REMOUNT : 0;
    const bool done = ::mount("tmpfs", folder_.c_str(), "tmpfs", flags, options.c_str()) == 0;
    mounted_ = mounted_ || done;
    return done;
  }

 private:
  fs::path folder_;
  bool mounted_ = false;
};

TEST(FullDisk, IsFoundBeforeACheckpointIsWritten) {
  const TrainingRun training(kAsIs);
  ASSERT_EQ(run_tarsier(training.command("straight")).exit_code, 0);
  const auto checkpoint = static_cast<std::int64_t>(
      fs::file_size(training.folder() / "straight/checkpoints/step-00000006/state.safetensors"));
  SmallDisk disk(training.folder() / "disk");
  // A checkpoint or two and the spare megabyte of a save fit, another does not.
  if (!disk.resize(checkpoint * 3 / 2 + (2 << 20)))
    GTEST_SKIP() << "mounting a small disk needs root";
  const std::vector<std::string> command = training.command("disk/run");
  const ProgramResult full = run_tarsier(command);
  EXPECT_EQ(full.exit_code, 6) << full.err;
  EXPECT_THAT(full.err, HasSubstr("disk/run/checkpoints: needs "));
  EXPECT_THAT(full.err, HasSubstr(" bytes of free space, has "));
  const fs::path run = training.folder() / "disk" / "run";
  const std::optional<fs::path> newest = find_latest_complete(run / "checkpoints");
  ASSERT_TRUE(newest.has_value());
  ASSERT_TRUE(disk.resize(std::int64_t{64} << 20));
  const ProgramResult resumed = run_tarsier(command);
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr(fmt::format("resuming at step {} of 6",
                                                 newest->filename().string().back())));
  expect_equal_runs(training.folder() / "straight", run, "step-00000006");
}

}  // namespace
}  // namespace tarsier
