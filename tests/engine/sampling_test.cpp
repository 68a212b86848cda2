#include "tarsier/engine/sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::HasSubstr;

constexpr float kOut = -std::numeric_limits<float>::infinity();

TEST(Greedy, EqualLogitsGiveTheLowestId) {  // models-tarsier.md 7, trap 47
  std::vector<float> logits(12, -1);
  logits[5] = logits[9] = 3;
  EXPECT_EQ(greedy_token(logits), 5);
  EXPECT_EQ(greedy_token(std::vector<float>{-7}), 0);
}

TEST(Greedy, WhatIsNotANumberIsAnError) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(greedy_token(std::vector<float>{1, nan, 2}), CheckpointError);
  EXPECT_THROW(greedy_token(std::vector<float>{nan, 1}), CheckpointError);
  EXPECT_THROW(greedy_token(std::vector<float>{1, -kOut}), CheckpointError);
  EXPECT_THROW(greedy_token(std::vector<float>{kOut, kOut}), CheckpointError);
}

TEST(RepetitionPenalty, DividesAboveZeroAndMultipliesBelow) {
  std::vector<float> logits = {2.1f, -2, 0, 4};
  penalize_repetition_(logits, std::vector<std::int64_t>{0, 1, 2}, 1.05);
  EXPECT_THAT(logits, ElementsAre(FloatEq(2), FloatEq(-2.1f), 0, 4));
}

TEST(RepetitionPenalty, OfTheModelChangesTheGreedyPath) {  // trap 48
  const std::vector<float> logits = {0, 2.0f, 2.05f};
  const std::vector<std::int64_t> prompt = {2, 2, 2};
  EXPECT_EQ(Sampler({}, prompt, 1.0).next(logits), 2);
  Sampler penalized({}, prompt, 1.05);
  EXPECT_EQ(penalized.next(logits), 1);
  EXPECT_EQ(penalized.next(logits), 2);  // now both are seen: the larger again
  SamplingParams own;
  own.repetition_penalty = 1.0;
  EXPECT_EQ(Sampler(own, prompt, 1.05).next(logits), 2);
}

TEST(TopK, KeepsTiesWithTheLast) {
  std::vector<float> logits = {1, 3, 2, 2, 0};
  keep_top_k_(logits, 2);
  EXPECT_THAT(logits, ElementsAre(kOut, 3, 2, 2, kOut));
  std::vector<float> all = {1, 2};
  keep_top_k_(all, 0);
  keep_top_k_(all, 9);
  EXPECT_THAT(all, ElementsAre(1, 2));
}

TEST(TopP, KeepsTheFewestThatReachIt) {
  const auto kept = [](double p) {
    std::vector<float> logits = {std::log(0.1f), std::log(0.5f), std::log(0.25f), std::log(0.15f)};
    keep_top_p_(logits, p);
    std::vector<int> ids;
    for (int i = 0; i < 4; ++i) {
      if (logits[static_cast<std::size_t>(i)] > kOut) ids.push_back(i);
    }
    return ids;
  };
  EXPECT_THAT(kept(1), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(kept(0.95), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(kept(0.8), ElementsAre(1, 2, 3));
  EXPECT_THAT(kept(0.6), ElementsAre(1, 2));
  EXPECT_THAT(kept(0.3), ElementsAre(1));
  EXPECT_THAT(kept(1e-9), ElementsAre(1));
}

TEST(TopP, OfEqualsKeepsOne) {
  std::vector<float> logits = {1, 1, 1};
  keep_top_p_(logits, 1e-6);
  EXPECT_EQ(std::count(logits.begin(), logits.end(), 1.0f), 1);
}

TEST(Draw, FollowsTheProbabilities) {
  const std::vector<float> logits = {std::log(1.0f), kOut, std::log(3.0f)};
  Random random({5});
  int counts[3] = {};
  for (int i = 0; i < 8000; ++i) ++counts[draw_token(logits, random)];
  EXPECT_EQ(counts[1], 0);
  EXPECT_NEAR(counts[2] / 8000.0, 0.75, 0.02);
}

TEST(Draw, TheSeedReproduces) {
  SamplingParams params;
  params.temperature = 1.3;
  const std::vector<float> logits(50, 0);
  const auto path = [&](std::uint64_t seed) {
    params.seed = seed;
    Sampler sampler(params, {}, 1.0);
    std::vector<std::int64_t> ids;
    for (int i = 0; i < 20; ++i) ids.push_back(sampler.next(logits));
    return ids;
  };
  EXPECT_EQ(path(3), path(3));
  EXPECT_NE(path(3), path(4));
}

TEST(Draw, ALowTemperatureIsGreedy) {
  SamplingParams params;
  params.temperature = 1e-4;
  EXPECT_EQ(Sampler(params, {}, 1.0).next(std::vector<float>{0, 1, 0.5f}), 1);
}

TEST(CheckSampling, NamesTheFlag) {
  const auto message = [](auto change) -> std::string {
    SamplingParams params;
    change(params);
    try {
      check_sampling(params);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message([](SamplingParams&) {}), "");
  EXPECT_THAT(message([](auto& p) { p.temperature = -1; }), HasSubstr("--temperature: -1"));
  EXPECT_THAT(message([](auto& p) { p.temperature = NAN; }), HasSubstr("--temperature"));
  EXPECT_THAT(message([](auto& p) { p.top_p = 0; }), HasSubstr("--top-p: 0 is outside (0, 1]"));
  EXPECT_THAT(message([](auto& p) { p.top_p = 1.01; }), HasSubstr("--top-p"));
  EXPECT_THAT(message([](auto& p) { p.top_k = -2; }), HasSubstr("--top-k: -2"));
  EXPECT_THAT(message([](auto& p) { p.repetition_penalty = 0; }),
              HasSubstr("--repetition-penalty"));
  EXPECT_THAT(message([](auto& p) { p.max_new_tokens = 0; }), HasSubstr("--max-new-tokens: 0"));
  EXPECT_THAT(message([](auto& p) { p.stop = {"x", ""}; }), HasSubstr("--stop"));
}

}  // namespace
}  // namespace tarsier
