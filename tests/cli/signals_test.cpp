#include "tarsier/cli/signals.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>

namespace tarsier {
namespace {

bool stops_within_seconds(std::stop_token token, int seconds) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, token, std::chrono::seconds(seconds), [] { return false; });
  return token.stop_requested();
}

TEST(StopOnSignal, FirstRequestsAStop) {
  const StopOnSignal signals;
  EXPECT_EQ(signals.signal(), 0);
  EXPECT_FALSE(signals.token().stop_requested());
  std::raise(SIGTERM);
  EXPECT_TRUE(stops_within_seconds(signals.token(), 10));
  EXPECT_EQ(signals.signal(), SIGTERM);
}

TEST(StopOnSignal, EndsWithoutASignal) {
  { const StopOnSignal signals; }
  const StopOnSignal again;
  EXPECT_EQ(again.signal(), 0);
}

TEST(StopOnSignalDeathTest, SecondEndsAtOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const StopOnSignal signals;
        std::raise(SIGINT);
        std::raise(SIGINT);
      },
      testing::ExitedWithCode(130), "");
}

}  // namespace
}  // namespace tarsier
