// Positions and layout of models-video-salmonn-2.md 2.9 - 2.11, and its worked examples.

#include "tarsier/processors/timed_positions.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tarsier/base/error.h"
#include "tarsier/processors/timed_blocks.h"

namespace tarsier {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

constexpr auto kLongest = PositionsAfterMedia::longest_axis;

struct Numbered {
  std::vector<std::int64_t> time, height, width;
  std::int64_t next;
};

/// `before` words, then each block followed by `after` words.
Numbered number(const PositionRule& rule, std::int64_t before,
                const std::vector<MediaBlock>& blocks, std::int64_t after) {
  std::vector<PlacedRun> placed;
  std::int64_t tokens = before;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    for (const MediaRun& run : blocks[i].runs) {
      placed.push_back({tokens, i, run});
      tokens += run.tokens;
    }
    tokens += after;
  }
  if (blocks.empty()) tokens += after;
  const PromptPositions result = rule(tokens, placed);
  const auto axis = [&](std::int64_t index) {
    const Tensor row = result.positions[index].contiguous();
    const auto* data = row.const_data_ptr<std::int64_t>();
    return std::vector<std::int64_t>(data, data + row.numel());
  };
  return {axis(0), axis(1), axis(2), result.next_position};
}

MediaBlock heard_clip(const PatchGrid& grid, double slice, std::int64_t sound) {
  const auto steps = time_steps(grid.time, slice, 2);
  return heard_video_block(grid, 2, steps, deal_by_time(sound, steps));
}

// T12: TTT VVVV A VVVV A VVVV AA TTT.
TEST(TimedPositions, AVideoWithSoundAsTrained) {
  const MediaBlock block = heard_clip({3, 4, 4}, 0.5, 4);
  std::vector<std::int64_t> lengths;
  for (const MediaRun& run : block.runs) lengths.push_back(run.tokens);
  EXPECT_THAT(lengths, ElementsAre(4, 1, 4, 1, 4, 2));
  const Numbered n = number(timed_positions(2, kLongest), 3, {block}, 3);
  EXPECT_THAT(n.time,
              ElementsAreArray({0, 1, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 6, 7, 8, 9}));
  EXPECT_THAT(n.height,
              ElementsAreArray({0, 1, 2, 3, 3, 4, 4, 3, 3, 3, 4, 4, 3, 3, 3, 4, 4, 3, 3, 7, 8, 9}));
  EXPECT_THAT(n.width,
              ElementsAreArray({0, 1, 2, 3, 4, 3, 4, 3, 3, 4, 3, 4, 4, 3, 4, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(n.next - 22, -12);
}

// T12, mode B: trap 1.
TEST(TimedPositions, AVideoWithSoundAsUpstreamGenerates) {
  const Numbered n = number(upstream_generate_positions(2), 3, {heard_clip({3, 4, 4}, 0.5, 4)}, 3);
  EXPECT_THAT(n.time, ElementsAreArray(
                          {0, 1, 2, 3, 3, 3, 3, 5, 5, 5, 5, 7, 7, 7, 7, 8, 9, 10, 11, 12, 13, 14}));
  EXPECT_THAT(n.height, ElementsAreArray({0, 1, 2, 3, 3, 4, 4,  3,  3,  4,  4,
                                          3, 3, 4, 4, 8, 9, 10, 11, 12, 13, 14}));
  EXPECT_THAT(n.width, ElementsAreArray({0, 1, 2, 3, 4, 3, 4,  3,  4,  3,  4,
                                         3, 4, 3, 4, 8, 9, 10, 11, 12, 13, 14}));
  EXPECT_EQ(n.next - 22, -7);
}

// Trap 22: behind a video with sound, height and width are not looked at; behind one without, they
// are.
TEST(TimedPositions, TextGoesOnBehindTheLargestTimeOfWhatWasHeard) {
  const PositionRule rule = timed_positions(2, kLongest);
  EXPECT_EQ(number(rule, 5, {heard_clip({2, 20, 4}, 0.5, 3)}, 1).time.back(), 5 + 3);
  EXPECT_EQ(number(rule, 5, {heard_clip({2, 20, 4}, 2, 3)}, 1).time.back(), 5 + 4 + 1);
  EXPECT_EQ(number(rule, 5, {heard_clip({2, 20, 4}, 2, 3)}, 1).next, 5 + 4 + 2);
  const MediaBlock silent =
      timed_picture_block(Modality::video, {2, 20, 4}, 2, time_steps(2, 2, 2));
  EXPECT_EQ(number(rule, 5, {silent}, 1).time.back(), 5 + 10);
  const MediaBlock slow = timed_picture_block(Modality::video, {2, 4, 4}, 2, time_steps(2, 9, 2));
  EXPECT_EQ(number(rule, 5, {slow}, 1).time.back(), 5 + 18 + 1);
  // transformers 5 looks at the sides alone, and its next token is behind everything.
  const Numbered newer =
      number(timed_positions(2, PositionsAfterMedia::picture_sides), 5, {slow}, 1);
  EXPECT_EQ(newer.time.back(), 5 + 2);
  EXPECT_EQ(newer.next, 5 + 18 + 1);
}

// Trap 23.
TEST(TimedPositions, SoundAloneLiesOnTimeAndHeight) {
  const Numbered n = number(timed_positions(2, kLongest), 2, {sound_block(3)}, 2);
  EXPECT_THAT(n.time, ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(n.height, ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(n.width, ElementsAre(0, 1, 2, 2, 2, 5, 6));
  const Numbered upstream = number(upstream_generate_positions(2), 2, {sound_block(3)}, 2);
  EXPECT_THAT(upstream.width, ElementsAre(0, 1, 2, 3, 4, 5, 6));
}

TEST(TimedPositions, WordsAlone) {
  for (const PositionRule& rule : {timed_positions(2, kLongest), upstream_generate_positions(2)}) {
    EXPECT_THAT(number(rule, 2, {}, 1).height, ElementsAre(0, 1, 2));
    EXPECT_EQ(number(rule, 2, {}, 1).next, 3);
    EXPECT_EQ(number(rule, 0, {}, 0).next, 0);
  }
}

// T10: the grouping of 30 s at two slices every 0.4 s.
TEST(TimedBlocks, SoundFollowsTheSliceInWhichItStarts) {
  const auto steps = time_steps(150, 0.2, 2);
  const std::vector<std::int64_t> first(steps.begin(), steps.begin() + 16);
  EXPECT_THAT(first, ElementsAre(0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 5, 5, 6));
  EXPECT_EQ(steps.back(), 59);
  const auto dealt = deal_by_time(60, steps);
  const std::vector<std::int64_t> shares(dealt.begin(), dealt.begin() + 16);
  EXPECT_THAT(shares, ElementsAre(0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0));
  EXPECT_EQ(dealt.back(), 1);
  EXPECT_EQ(std::accumulate(dealt.begin(), dealt.end(), std::int64_t{0}), 60);
}

// Trap 16: 224 s in 768 frames; f64 would say 63.
TEST(TimedBlocks, StepsAreTruncatedInF32) {
  EXPECT_EQ(time_steps(384, 2 / (768.0 / 224), 2)[54], 62);
}

// Trap 15: 60 s of pictures and 20 s of sound.
TEST(TimedBlocks, SoundThatEndsEarlyIsDealtUntilItEnds) {
  const auto dealt = deal_by_time(60, time_steps(300, 0.2, 2));
  EXPECT_EQ(std::accumulate(dealt.begin(), dealt.end(), std::int64_t{0}), 60);
  EXPECT_EQ(dealt.back(), 0);
  EXPECT_EQ(*std::ranges::min_element(dealt), 0);
  EXPECT_THAT(deal_by_time(120, time_steps(3, 0.5, 2)), ElementsAre(1, 1, 118));
}

// Trap 44.
TEST(TimedBlocks, WithoutAClockSoundIsSpread) {
  EXPECT_THAT(deal_spread(7, 4), ElementsAre(2, 2, 1, 2));
  EXPECT_THAT(deal_first(7, 4), ElementsAre(2, 2, 2, 1));
  EXPECT_THAT(deal_spread(8, 4), ElementsAre(2, 2, 2, 2));
  EXPECT_THAT(deal_spread(2, 3), ElementsAre(1, 0, 1));
}

}  // namespace
}  // namespace tarsier
