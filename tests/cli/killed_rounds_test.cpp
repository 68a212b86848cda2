#include "tests/cli/killed_rounds.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace tarsier {
namespace {

// In the middle of answers, of training, of scores, and of training in the next round.
TEST(KilledRounds, GoOnAsIfNothingHadHappened) {
  const std::vector<std::string> moments{"round_01/samples/progress.jsonl",
                                         "round_01/run/checkpoints", "round_02/scored",
                                         "round_02/run/metrics.jsonl"};
  test::expect_killed_rounds_go_on(
      2, static_cast<int>(moments.size()),
      [&](int kill, RunningTarsier& program, const std::filesystem::path& run, double) {
        const std::filesystem::path until = run / moments[static_cast<std::size_t>(kill)];
        while (program.is_running() && !std::filesystem::exists(until))
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
      });
}

}  // namespace
}  // namespace tarsier
