#include "tests/cli/killed_training.h"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <set>
#include <thread>

#include "tarsier/base/log.h"
#include "tarsier/base/random.h"
#include "tarsier/checkpoint/directory_commit.h"
#include "tarsier/checkpoint/manifest.h"
#include "tests/cli/training_run.h"

namespace tarsier::test {
namespace {

using std::chrono::microseconds;

constexpr std::int64_t kSaveEvery = 2;

std::set<std::string> temporaries_in(const fs::path& checkpoints) {
  std::set<std::string> names;
  std::error_code ignored;  // entries come and go meanwhile
  for (fs::directory_iterator entry(checkpoints, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (name.find(".tmp-") != std::string::npos) names.insert(name);
  }
  return names;
}

// Waits until `reached` or the end of the program.
template <class Reached>
void wait_until(RunningTarsier& program, const Reached& reached) {
  while (!reached() && program.is_running()) std::this_thread::sleep_for(microseconds(100));
}

// Somewhere in the making of a checkpoint, or of the removal of an old one after it.
void wait_for_save(RunningTarsier& program, const fs::path& checkpoints, Random& random) {
  std::set<std::string> seen = temporaries_in(checkpoints);
  for (std::int64_t left = 1 + random.integer(0, 1); left > 0; --left) {
    wait_until(program, [&] {
      for (const std::string& name : temporaries_in(checkpoints)) {
        if (seen.insert(name).second) return true;
      }
      return false;
    });
  }
  std::this_thread::sleep_for(microseconds(random.integer(0, 8000)));
}

// Somewhere in the start or the first steps.
void wait_anywhere(RunningTarsier& program, const fs::path& run, Random& random) {
  const std::size_t before = whole_metrics_of(run).size();
  const std::int64_t steps = random.integer(0, 3);
  if (steps > 0)
    wait_until(program, [&] {
      return whole_metrics_of(run).size() >= before + static_cast<std::size_t>(steps);
    });
  std::this_thread::sleep_for(microseconds(random.integer(0, steps > 0 ? 60000 : 600000)));
}

std::int64_t step_of(const fs::path& checkpoint) {
  return std::stoll(checkpoint.filename().string().substr(5));
}

// What a killed run left: returns the step of its newest whole checkpoint, 0 when there is none
// yet.
std::int64_t expect_sound(const fs::path& run) {
  std::string warnings;
  set_log_sink([&](LogLevel, std::string_view line) { warnings += std::string(line) + "\n"; });
  const std::optional<fs::path> newest = find_latest_complete(run / "checkpoints");
  set_log_sink({});
  EXPECT_EQ(warnings, "");
  if (!newest) return 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(run / "checkpoints")) {
    const bool temporary = entry.path().filename().string().find(".tmp-") != std::string::npos;
    EXPECT_TRUE(temporary || verify_directory(entry.path()).empty()) << entry.path();
  }
  return step_of(*newest);
}

}  // namespace

void expect_killed_training_goes_on(int kills, int steps) {
  const TrainingRun training([&](nlohmann::json& recipe) {
    recipe["save_every"] = kSaveEvery;
    recipe["keep_checkpoints"] = 3;
    recipe["ema"] = 0.9;
    recipe["stages"][0]["steps"] = 3;
    recipe["stages"][1]["steps"] = steps - 3;
    recipe["stages"][1]["accumulate"] = 1;
  });
  const ProgramResult unbroken = run_tarsier(training.command("unbroken"));
  ASSERT_EQ(unbroken.exit_code, 0) << unbroken.err;

  Random random({17});
  const fs::path run = training.folder() / "killed";
  int killed = 0;
  std::int64_t newest = 0;
  for (int i = 0; i < kills; ++i) {
    RunningTarsier program(training.command("killed"));
    if (i % 2 == 0) {
      wait_for_save(program, run / "checkpoints", random);
    } else {
      wait_anywhere(program, run, random);
    }
    program.send(SIGKILL);
    const ProgramResult result = program.wait();
    if (result.exit_code == 0) break;  // done before the signal came: the machine is busy
    ASSERT_EQ(result.exit_code, 128 + SIGKILL) << result.err;
    ++killed;
    const std::int64_t found = expect_sound(run);
    EXPECT_GE(found, newest);
    newest = found;
    const auto rows = whole_metrics_of(run);
    const auto reached = rows.empty() ? found : rows.back().at("step").get<std::int64_t>();
    EXPECT_LE(reached - found, kSaveEvery);
  }
  EXPECT_GE(2 * killed, kills) << "steps are too few for so many kills";
  const ProgramResult resumed = run_tarsier(training.command("killed"));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  expect_equal_runs(training.folder() / "unbroken", run, fmt::format("step-{:08}", steps));
  for (const fs::path& folder : {run, run / "checkpoints"}) {
    EXPECT_TRUE(temporaries_in(folder).empty()) << folder;
  }
}

}  // namespace tarsier::test
