#include "tarsier/grounding/clip_clock.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

TEST(FrameSeconds, ReachHalfwayToTheNeighbours) {
  const std::vector<double> times = {0, 2, 4, 6};
  const auto seconds = [&](std::int64_t first, std::int64_t last) {
    const SecondsInterval when = seconds_of({first, last, ""}, {times, 0, 8});
    return std::pair(when.start, when.end);
  };
  EXPECT_EQ(seconds(2, 3), std::pair(1.0, 5.0));
  EXPECT_EQ(seconds(1, 1), std::pair(0.0, 1.0));
  EXPECT_EQ(seconds(4, 4), std::pair(5.0, 8.0));
  EXPECT_EQ(seconds(1, 4), std::pair(0.0, 8.0));
  const std::vector<double> two = {10.2, 11.2};
  const SecondsInterval window = seconds_of({1, 2, ""}, {two, 10, 12});
  EXPECT_EQ(window.start, 10);
  EXPECT_EQ(window.end, 12);
  EXPECT_THROW(seconds_of({1, 5, ""}, {times, 0, 8}), InternalError);
}

TEST(FrameSeconds, AreNoFinerThanTheFrames) {
  const std::vector<double> three = {0, 2, 4}, one = {1};
  EXPECT_EQ(sampling_step({three, 0, 5}), 2);
  EXPECT_EQ(sampling_step({one, 1, 6}), 5);
  EXPECT_EQ(interval_text({0.57, 2.86}, 1.14), "1-3 s");
  EXPECT_EQ(interval_text({0.57, 2.86}, 1.0), "1-3 s");
  EXPECT_EQ(interval_text({0.57, 2.86}, 0.5), "0.6-2.9 s");
  EXPECT_EQ(interval_text({0.57, 2.86}, 0.04), "0.57-2.86 s");
  EXPECT_EQ(interval_text({12, 70}, 30), "12-70 s");
  EXPECT_EQ(interval_text({0, 0}, 0), "0-0 s");
}

TEST(SaidSeconds, CountFromTheStartOfWhatWasSeen) {
  const std::vector<double> even = {10, 11, 12, 13};
  for (const double said : {0.0, 0.25, 1.5, 3.0, 3.5})
    EXPECT_DOUBLE_EQ(container_seconds(said, {even, 10, 14}), 10 + said);
}

// Two seconds at four frames a second, then four at one: whoever takes the 13 frames for evenly
// spaced counts 0.5 s a frame.
TEST(SaidSeconds, FollowTheFramesWhereTheyAreUneven) {
  const std::vector<double> frames = {0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 3, 4, 5, 6};
  const ClipClock clock{frames, 0, 7};
  EXPECT_EQ(sampling_step(clock), 0.5);
  EXPECT_DOUBLE_EQ(container_seconds(0, clock), 0);
  EXPECT_DOUBLE_EQ(container_seconds(2, clock), 1);
  EXPECT_DOUBLE_EQ(container_seconds(4, clock), 2);
  EXPECT_DOUBLE_EQ(container_seconds(4.25, clock), 2.5);
  EXPECT_DOUBLE_EQ(container_seconds(6, clock), 6);
  EXPECT_DOUBLE_EQ(container_seconds(7, clock), 7);
}

TEST(SaidSeconds, OfFewFramesAreAsSaid) {
  const std::vector<double> one = {2}, same = {2, 2, 2, 2};
  EXPECT_EQ(container_seconds(1, {one, 2, 6}), 3);
  EXPECT_EQ(container_seconds(1, {same, 2, 6}), 3);
}

}  // namespace
}  // namespace tarsier
