#include "tarsier/tensor/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace tarsier {
namespace {

TEST(Workers, DoEveryPieceOnceTimeAfterTime) {
  for (const std::int64_t count : {1, 3}) {
    Workers workers(count);
    EXPECT_EQ(workers.count(), count);
    for (const std::int64_t pieces : {0, 1, 2, 7}) {
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(pieces));
      workers.run(pieces, [&](std::int64_t i) { ++done[static_cast<std::size_t>(i)]; });
      for (const auto& times : done) EXPECT_EQ(times, 1);
    }
  }
}

TEST(Workers, OfOneIsTheCallersThread) {
  Workers workers(1);
  std::thread::id used;
  workers.run(1, [&](std::int64_t) { used = std::this_thread::get_id(); });
  EXPECT_EQ(used, std::this_thread::get_id());
}

TEST(Workers, WorkSideBySide) {
  Workers workers(2);
  std::atomic<int> arrived = 0;
  workers.run(2, [&](std::int64_t) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();  // ends only when both are inside
  });
  EXPECT_EQ(arrived, 2);
}

TEST(Workers, ThrowTheLowestPiecesExceptionAfterTheRestIsDone) {
  Workers workers(2);
  std::atomic<int> done = 0;
  try {
    workers.run(6, [&](std::int64_t i) {
      ++done;
      if (i >= 2) throw std::runtime_error(std::to_string(i));
    });
    FAIL() << "the exception is lost";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "2");
  }
  EXPECT_EQ(done, 6);
  workers.run(1, [&](std::int64_t) { done = 0; });
  EXPECT_EQ(done, 0);
}

}  // namespace
}  // namespace tarsier
