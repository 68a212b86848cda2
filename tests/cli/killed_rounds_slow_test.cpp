#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tarsier/base/random.h"
#include "tests/cli/killed_rounds.h"

namespace tarsier {
namespace {

// Each time a little further, so that the kills spread over all three rounds.
TEST(KilledRoundsSlow, ThreeRoundsThirtyTimes) {
  Random random({23});
  test::expect_killed_rounds_go_on(
      3, 30, [&](int, RunningTarsier& program, const std::filesystem::path&, double seconds) {
        const auto wait = std::chrono::duration<double>(
            seconds * static_cast<double>(random.integer(20, 200)) / 1000);
        const auto until = std::chrono::steady_clock::now() + wait;
        while (program.is_running() && std::chrono::steady_clock::now() < until)
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
      });
}

}  // namespace
}  // namespace tarsier
