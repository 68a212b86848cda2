#include "tarsier/processors/frame_selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::StartsWith;
using testing::ThrowsMessage;

struct Clip {
  VideoInfo info;
  std::vector<double> seconds;
};

Clip clip(std::int64_t frames, double rate = 25) {
  Clip result;
  result.info.frames = frames;
  result.info.frames_per_second = rate;
  result.info.seconds = static_cast<double>(frames) / rate;
  for (std::int64_t i = 0; i < frames; ++i) result.seconds.push_back(static_cast<double>(i) / rate);
  return result;
}

FrameChoice choose(const Clip& clip, const FrameRequest& request = {},
                   const SamplingRule& rule = {}) {
  return choose_frames(rule, clip.info, clip.seconds, request);
}

void expect_refusal(const Clip& clip, const FrameRequest& request, const char* flag,
                    const char* what, const SamplingRule& rule = {}) {
  EXPECT_THAT([&] { choose(clip, request, rule); },
              ThrowsMessage<ConfigError>(AllOf(StartsWith(flag), HasSubstr(what))));
}

TEST(FrameSelection, Tarsier2Defaults) {
  const FrameChoice choice = choose(clip(300));
  EXPECT_THAT(choice.indices, ElementsAre(0, 20, 40, 60, 80, 100, 120, 140, 159, 179, 199, 219, 239,
                                          259, 279, 299));
  EXPECT_EQ(choice.sampler, "tarsier2 v1");
  ASSERT_EQ(choice.seconds.size(), 16U);
  EXPECT_DOUBLE_EQ(choice.seconds[1], 0.8);
  EXPECT_THAT(choose(clip(250)).indices,
              ElementsAre(0, 17, 33, 50, 66, 83, 100, 116, 133, 149, 166, 183, 199, 216, 232, 249));
}

TEST(FrameSelection, AShortClipGivesAllItHas) {
  EXPECT_THAT(choose(clip(3)).indices, ElementsAre(0, 1, 2));
  EXPECT_THAT(choose(clip(1)).indices, ElementsAre(0));
  EXPECT_THAT(choose(clip(1), {}, qwen2_vl_sampling()).indices, ElementsAre(0));
  EXPECT_THAT(choose(clip(2), {}, qwen2_vl_sampling()).indices, ElementsAre(0, 1));
}

// models-tarsier.md 4.3 and traps 16-18: the first generation repeats frames of a short clip, but
// not those of a GIF, and one frame is always the first.
TEST(FrameSelection, TarsierRepeatsFramesOfAShortClip) {
  EXPECT_THAT(choose(clip(5), {}, tarsier_sampling()).indices, ElementsAre(0, 1, 1, 2, 2, 3, 3, 4));
  EXPECT_EQ(choose(clip(5), {}, tarsier_sampling()).sampler, "tarsier");
  EXPECT_THAT(choose(clip(10), {.frames = 3}, tarsier_sampling()).indices, ElementsAre(0, 4, 9));
  EXPECT_THAT(choose(clip(100), {.frames = 1, .start = 2.0}, tarsier_sampling()).indices,
              ElementsAre(0));
  Clip gif = clip(5);
  gif.info.container = "gif";
  EXPECT_THAT(choose(gif, {}, tarsier_sampling()).indices, ElementsAre(0, 1, 2, 3, 4));
  expect_refusal(clip(100), {.fps = 2.0}, "--fps", "is not a setting of this model",
                 tarsier_sampling());
}

TEST(FrameSelection, HonoursTheCount) {
  EXPECT_THAT(choose(clip(100), {.frames = 1}).indices, ElementsAre(0));
  EXPECT_THAT(choose(clip(5), {.frames = 3}).indices, ElementsAre(0, 2, 4));
  EXPECT_THAT(choose(clip(5), {.frames = 3}, qwen2_vl_sampling()).indices, ElementsAre(0, 2, 4));
  EXPECT_EQ(choose(clip(300), {.frames = 256}).indices.size(), 256U);
}

TEST(FrameSelection, SamplerV2TakesMiddles) {
  SamplingRule rule;
  rule.run_middles = true;
  const FrameChoice choice = choose(clip(10), {.frames = 3}, rule);
  EXPECT_EQ(choice.sampler, "tarsier2 v2");
  EXPECT_THAT(choice.indices, ElementsAre(1, 5, 8));
}

TEST(FrameSelection, HonoursTheRate) {
  EXPECT_THAT(choose(clip(50), {.fps = 5}).indices,
              ElementsAre(0, 5, 10, 15, 20, 25, 30, 35, 40, 45));
  EXPECT_EQ(choose(clip(50), {.fps = 25}).indices.size(), 50U);
}

TEST(FrameSelection, Qwen2VlRate) {
  const FrameChoice choice = choose(clip(75, 30), {}, qwen2_vl_sampling());
  EXPECT_THAT(choice.indices, ElementsAre(0, 25, 49, 74));
  EXPECT_EQ(choice.sampler, "qwen2_vl fps");
  EXPECT_EQ(choose(clip(105, 30), {}, qwen2_vl_sampling()).indices.size(), 6U);
  EXPECT_EQ(choose(clip(30, 30), {}, qwen2_vl_sampling()).indices.size(), 4U);       // the minimum
  EXPECT_EQ(choose(clip(60000, 30), {}, qwen2_vl_sampling()).indices.size(), 768U);  // the maximum
  EXPECT_EQ(choose(clip(300, 30), {.fps = 1}, qwen2_vl_sampling()).indices.size(), 10U);
}

// models-video-salmonn-2.md 3.1; steps round half to even (trap 17).
TEST(FrameSelection, Salmonn2StepsBySeconds) {
  const SamplingRule rule = salmonn2_sampling(1, 110);
  const FrameChoice choice = choose(clip(75, 25), {}, rule);
  EXPECT_THAT(choice.indices, ElementsAre(0, 25, 50));
  EXPECT_EQ(choice.sampler, "llava step");
  EXPECT_DOUBLE_EQ(choice.part_seconds, 3);
  EXPECT_THAT(choose(clip(5, 2.5), {}, rule).indices, ElementsAre(0, 2, 4));
  EXPECT_THAT(choose(clip(3, 0.2), {}, rule).indices, ElementsAre(0, 1, 2));
  EXPECT_THAT(choose(clip(33, 30), {}, rule).indices, ElementsAre(0, 30));
  EXPECT_DOUBLE_EQ(choose(clip(33, 30), {}, rule).part_seconds, 1.1);
  EXPECT_EQ(choose(clip(3300, 30), {}, rule).indices.size(), 110U);
  EXPECT_EQ(choose(clip(3300, 30), {}, rule).indices.back(), 109 * 30);
}

// Trap 41: more than 110 s are 110 frames, and as long as they are.
TEST(FrameSelection, Salmonn2SpreadsALongClip) {
  const SamplingRule rule = salmonn2_sampling(1, 110);
  const FrameChoice choice = choose(clip(5400, 30), {}, rule);
  ASSERT_EQ(choice.indices.size(), 110U);
  EXPECT_EQ(choice.indices[1], 49);  // 5399 / 109 is 49.53
  EXPECT_EQ(choice.indices[2], 99);
  EXPECT_EQ(choice.indices.back(), 5399);
  EXPECT_DOUBLE_EQ(choice.part_seconds, 180);
}

TEST(FrameSelection, Salmonn2HonoursOrRefuses) {
  const SamplingRule rule = salmonn2_sampling(1, 110);
  EXPECT_THAT(choose(clip(75, 25), {.fps = 5}, rule).indices.size(), 15U);
  EXPECT_THAT(choose(clip(75, 25), {.frames = 4}, rule).indices, ElementsAre(0, 24, 49, 74));
  expect_refusal(clip(5400, 30), {.fps = 1}, "--fps", "are 180 frames, the model takes at most 110",
                 rule);
  expect_refusal(clip(300, 30), {.frames = 111}, "--frames", "at most 110", rule);
  const FrameChoice part = choose(clip(300, 30), {.start = 2, .end = 5.5}, rule);
  EXPECT_THAT(part.indices, ElementsAre(60, 90, 120, 150));
  EXPECT_DOUBLE_EQ(part.part_seconds, 3.5);
}

TEST(FrameSelection, LlavaOneVisionCounts) {
  const SamplingRule rule = llava_onevision_sampling();
  EXPECT_THAT(choose(clip(31), {}, rule).indices,
              ElementsAre(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30));
  EXPECT_THAT(choose(clip(3), {}, rule).indices, ElementsAre(0, 1, 2));
}

TEST(FrameSelection, Windows) {
  EXPECT_THAT(choose(clip(100), {.frames = 2, .start = 1, .end = 2}).indices, ElementsAre(25, 50));
  EXPECT_THAT(choose(clip(100), {.frames = 1, .start = 2}).indices, ElementsAre(50));
  EXPECT_THAT(choose(clip(100), {.frames = 2, .end = 4}).indices, ElementsAre(0, 99));
  EXPECT_THAT(choose(clip(100), {.fps = 5, .start = 3}).indices, ElementsAre(75, 80, 85, 90, 95));
}

TEST(FrameSelection, WindowsGoByTimeWhereFramesAreUneven) {
  Clip uneven = clip(5);
  uneven.seconds = {0, 1, 5, 5.5, 9};
  uneven.info.seconds = 10;
  EXPECT_THAT(choose(uneven, {.start = 4.9, .end = 6}).indices, ElementsAre(1, 2, 3));
  EXPECT_THAT(choose(uneven, {.start = 4.9, .end = 6}).seconds, ElementsAre(1, 5, 5.5));
}

TEST(FrameSelection, HonoursOrRefuses) {
  const Clip four_seconds = clip(100);
  expect_refusal(four_seconds, {.frames = 0}, "--frames", "is 0");
  expect_refusal(four_seconds, {.frames = -3}, "--frames", "is -3");
  expect_refusal(clip(1000), {.frames = 257}, "--frames", "the model takes at most 256");
  expect_refusal(four_seconds, {.frames = 101}, "--frames", "is 101, there are 100");
  expect_refusal(four_seconds, {.frames = 30, .start = 1, .end = 2}, "--frames",
                 "is 30, there are 26");
  expect_refusal(four_seconds, {.fps = -1}, "--fps", "is -1");
  expect_refusal(four_seconds, {.fps = 0}, "--fps", "is 0");
  expect_refusal(four_seconds, {.fps = 30}, "--fps", "the clip has 25 frames a second");
  expect_refusal(clip(1000), {.fps = 25}, "--fps", "1000 frames, the model takes at most 256");
  expect_refusal(clip(60000, 30), {.fps = 10}, "--fps", "the model takes at most 768",
                 qwen2_vl_sampling());
  expect_refusal(clip(25), {.fps = 1}, "--fps", "fewer than 2 frames", qwen2_vl_sampling());
  expect_refusal(four_seconds, {.frames = 4, .fps = 1}, "--fps", "together with --frames");
  expect_refusal(four_seconds, {.start = 2, .end = 1}, "--start", "--end 1 s");
  expect_refusal(four_seconds, {.start = 1, .end = 1}, "--start", "--end 1 s");
  expect_refusal(four_seconds, {.start = 4}, "--start", "the clip ends at 4 s");
  expect_refusal(four_seconds, {.start = -1}, "--start", "is -1");
  expect_refusal(four_seconds, {.end = 9}, "--end", "the clip ends at 4 s");
  expect_refusal(four_seconds, {.end = std::numeric_limits<double>::infinity()}, "--end", "is inf");
  Clip image = clip(1);
  image.info.frames_per_second = 0;
  expect_refusal(image, {.fps = 1}, "--fps", "no frame rate");
}

}  // namespace
}  // namespace tarsier
