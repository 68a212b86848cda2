#include "tarsier/media/sampling.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "crc32.h"
#include "tarsier/base/error.h"
#include "tarsier/base/json.h"

namespace tarsier {
namespace {

using ::testing::ElementsAre;
using Indices = std::vector<std::int64_t>;

JsonView fixture() {
  return read_json(TARSIER_SOURCE_DIR "/tests/fixtures/media/sampling.json", JsonOwner::input);
}

std::uint32_t crc_of(const std::string& text) {
  return testing::crc32_of({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

// As tools/fixtures/make_sampling_fixtures.py writes it.
std::uint32_t digest(const std::function<Indices(std::int64_t, std::int64_t)>& rule) {
  std::string text;
  for (std::int64_t total = 1; total <= 600; ++total) {
    for (std::int64_t count = 1; count <= 64; ++count) {
      if (!text.empty()) text += '\n';
      text += fmt::format("{} {}: {}", total, count, fmt::join(rule(total, count), " "));
    }
  }
  return crc_of(text);
}

TEST(Sampling, EveryChoiceEqualsUpstreams) {
  const JsonView golden = fixture();
  EXPECT_EQ(digest([](auto total, auto n) { return sample_uniform(0, total - 1, n); }),
            golden.at("uniform").as_int());
  EXPECT_EQ(digest([](auto total, auto n) { return sample_run_middles(0, total - 1, n); }),
            golden.at("run_middles").as_int());
  EXPECT_EQ(digest([](auto total, auto n) { return sample_repeating(0, total - 1, n); }),
            golden.at("repeating").as_int());
  EXPECT_EQ(digest([](auto total, auto n) { return sample_linspace(0, total - 1, n); }),
            golden.at("linspace").as_int());
  EXPECT_EQ(
      digest([](auto total, auto n) { return n > total ? Indices{} : sample_truncated(total, n); }),
      golden.at("truncated").as_int());
}

TEST(Sampling, QwenCountsEqualUpstreams) {
  const JsonView golden = fixture();
  for (const auto& [version, name] :
       {std::pair{QwenUtils::up_to_0_0_8, "up_to_0_0_8"}, {QwenUtils::from_0_0_9, "from_0_0_9"}}) {
    std::string text;
    for (std::int64_t total = 1; total <= 600; ++total) {
      for (std::int64_t i = 0; i < golden.at("qwen_rates").size(); ++i) {
        const double rates[] = {0.5, 1.0, 2.0, 4.0};
        for (std::size_t j = 0; j < 4; ++j) {
          std::int64_t count = 0;
          try {
            QwenSampling wanted;
            wanted.version = version;
            wanted.wanted_rate = rates[j];
            count = qwen_frame_count(total, golden.at("qwen_rates").at(i).as_double(), wanted);
          } catch (const InputError&) {
          }
          if (!text.empty()) text += '\n';
          text += fmt::format("{} {} {}: {}", total, i, j, count);
        }
      }
    }
    EXPECT_EQ(crc_of(text), golden.at("qwen_counts").at(name).as_int()) << name;
  }
}

TEST(Sampling, Tarsier2Examples) {
  EXPECT_THAT(sample_uniform(0, 299, 16), ElementsAre(0, 20, 40, 60, 80, 100, 120, 140, 159, 179,
                                                      199, 219, 239, 259, 279, 299));
  EXPECT_THAT(sample_uniform(0, 249, 16),
              ElementsAre(0, 17, 33, 50, 66, 83, 100, 116, 133, 149, 166, 183, 199, 216, 232, 249));
  EXPECT_EQ(sample_uniform(0, 9, 16).size(), 10U);
  EXPECT_THAT(sample_uniform(30, 40, 1), ElementsAre(30));
  EXPECT_THAT(sample_uniform(5, 5, 16), ElementsAre(5));
  EXPECT_THAT(sample_uniform(10, 14, 3), ElementsAre(10, 12, 14));
  EXPECT_THAT(sample_run_middles(0, 9, 3), ElementsAre(1, 5, 8));
  EXPECT_THROW(sample_uniform(0, 9, 0), InternalError);
  EXPECT_THROW(sample_uniform(3, 2, 4), InternalError);
}

TEST(Sampling, TarsierExamples) {
  EXPECT_THAT(sample_repeating(0, 4, 8), ElementsAre(0, 1, 1, 2, 2, 3, 3, 4));
  EXPECT_THAT(sample_repeating(0, 9, 3), ElementsAre(0, 4, 9));
  EXPECT_THAT(sample_repeating(7, 9, 1), ElementsAre(0));
  EXPECT_THAT(without_repeats(sample_repeating(0, 4, 8)), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(tarsier_window(100, 25, 1.0, 2.0), (FrameRange{25, 50}));
  EXPECT_EQ(tarsier_window(100, 25, 0, 0), (FrameRange{0, 99}));
  EXPECT_EQ(tarsier_window(100, 25, 50, 60), (FrameRange{99, 99}));
  EXPECT_EQ(tarsier_window(100, 25, 2, 1), (FrameRange{50, 50}));
}

TEST(Sampling, Tarsier2Rate) {
  EXPECT_EQ(sample_by_rate(100, 25, 2, 256),
            (Indices{0, 12, 24, 36, 48, 60, 72, 84, 96}));  // 12.5 goes to even
  EXPECT_EQ(sample_by_rate(100, 25, 2, 8), std::nullopt);
  EXPECT_EQ(sample_by_rate(10, 25, 0.001, 8), (Indices{0}));
  EXPECT_THROW(sample_by_rate(100, 25, 60, 256), InputError);
  EXPECT_THROW(sample_by_rate(100, 25, std::numeric_limits<double>::quiet_NaN(), 256), InputError);
}

TEST(Sampling, Tarsier2WholeRule) {
  Tarsier2Sampling wanted;
  EXPECT_EQ(sample_tarsier2(300, 30, wanted), sample_uniform(0, 299, 16));
  wanted.run_middles = true;
  EXPECT_EQ(sample_tarsier2(300, 30, wanted), sample_run_middles(0, 299, 16));
  wanted = {.count = 4, .start_seconds = 2.0, .end_seconds = 10.0};
  EXPECT_EQ(sample_tarsier2(300, 30, wanted),
            sample_uniform(60, 299, 4));  // the end, 300, becomes 299
  wanted.end_seconds.reset();
  EXPECT_EQ(sample_tarsier2(300, 30, wanted),
            sample_uniform(0, 299, 4));  // one of the two alone has no effect
  wanted = {.count = 8, .times = {0.0, 1.0, 10.0, 99.0}};
  EXPECT_EQ(sample_tarsier2(301, 30, wanted), (Indices{0, 30, 300}));
  wanted = {.count = 8, .wanted_rate = 2.0};
  EXPECT_EQ(sample_tarsier2(60, 30, wanted), (Indices{0, 15, 30, 45}));
  EXPECT_EQ(sample_tarsier2(600, 30, wanted), sample_uniform(0, 599, 8));  // too many: by count
  EXPECT_THROW(sample_tarsier2(60, std::nullopt, wanted), InputError);
  wanted = {.count = 8, .times = {50.0}};
  EXPECT_THROW(sample_tarsier2(60, 30, wanted), InputError);
  wanted = {.count = 8, .times = {1e300}};
  EXPECT_THROW(sample_tarsier2(60, 30, wanted), InputError);
  wanted = {.count = 8, .start_seconds = 2.0, .end_seconds = 1.0};
  EXPECT_THROW(sample_tarsier2(60, 30, wanted), InputError);
}

TEST(Sampling, FrameBudget) {
  const BudgetItem video;
  const BudgetItem picture{.is_video = false};
  const BudgetItem by_rate{.by_rate = true};
  EXPECT_THAT(frame_budget(std::vector{video}), ElementsAre(16));
  EXPECT_THAT(frame_budget(std::vector{video, video}), ElementsAre(8, 8));
  EXPECT_THAT(frame_budget(std::vector{video, video, video}), ElementsAre(6, 5, 5));
  EXPECT_THAT(frame_budget(std::vector{picture, video}), ElementsAre(1, 15));
  EXPECT_THAT(frame_budget(std::vector{by_rate}), ElementsAre(256));
  EXPECT_THAT(frame_budget(std::vector{by_rate, by_rate}), ElementsAre(128, 128));
  EXPECT_THAT(frame_budget(std::vector{picture, picture}), ElementsAre(1, 1));
  EXPECT_THAT(frame_budget(std::vector{BudgetItem{.fixed_count = 40}, video}, 48),
              ElementsAre(40, 8));
  EXPECT_THAT(frame_budget(std::vector{BudgetItem{.min_count = 20}}), ElementsAre(20));
  EXPECT_THAT(frame_budget(std::vector<BudgetItem>{}), ElementsAre());
  std::vector<BudgetItem> crowded(16, picture);
  crowded.push_back(video);
  EXPECT_THROW(frame_budget(crowded), InputError);
  EXPECT_THROW(frame_budget(std::vector{BudgetItem{.fixed_count = 300}, by_rate}), InputError);
}

TEST(Sampling, QwenEdges) {
  QwenSampling wanted;
  EXPECT_EQ(qwen_frame_count(250, 25, wanted), 20);
  wanted.count = 7;
  EXPECT_EQ(qwen_frame_count(250, 25, wanted), 8);
  wanted.count = 5;
  EXPECT_EQ(qwen_frame_count(250, 25, wanted), 4);
  EXPECT_THROW(qwen_frame_count(3, 25, wanted), InputError);
  wanted = {};
  EXPECT_THROW(qwen_frame_count(1, 25, wanted), InputError);
  EXPECT_EQ(qwen_frame_count(100'000, 25, wanted), 768);
  EXPECT_EQ(sample_qwen(4, 25, wanted), (Indices{0, 1, 2, 3}));
  EXPECT_EQ(qwen_window(100, 25, 0.5, 2.1), (FrameRange{13, 52}));
  EXPECT_EQ(qwen_window(100, 25, 0.5, 20), (FrameRange{13, 99}));
  EXPECT_THROW(qwen_window(100, 25, 5, 6), InputError);
}

TEST(Sampling, WindowTakesTheFramesOnScreen) {
  const std::vector<double> even = {0, 0.04, 0.08, 0.12, 0.16};
  EXPECT_EQ(frames_in_window(even, 0.2, {}, {}), (FrameRange{0, 4}));
  EXPECT_EQ(frames_in_window(even, 0.2, 0.08, 0.12), (FrameRange{2, 3}));
  EXPECT_EQ(frames_in_window(even, 0.2, 0.05, 0.05), (FrameRange{1, 1}));
  EXPECT_EQ(frames_in_window(even, 0.2, {}, 0.1), (FrameRange{0, 2}));
  EXPECT_EQ(frames_in_window(even, 0.2, 0.19, 99.0), (FrameRange{4, 4}));
  const std::vector<double> uneven = {0.5, 0.6, 3.0, 3.1};
  EXPECT_EQ(frames_in_window(uneven, 4, 1.0, 2.0), (FrameRange{1, 1}));
  EXPECT_EQ(frames_in_window(uneven, 4, 0.0, 0.1), (FrameRange{0, 0}));
  EXPECT_EQ(frames_in_window(uneven, 4, 2.9, 3.05), (FrameRange{1, 2}));
  EXPECT_EQ(frames_in_window(std::vector<double>{0}, 0, {}, {}),
            (FrameRange{0, 0}));  // a still image
  EXPECT_THROW(frames_in_window(even, 0.2, 0.2, {}), InputError);
  EXPECT_THROW(frames_in_window(even, 0.2, -1.0, {}), InputError);
  EXPECT_THROW(frames_in_window(even, 0.2, 0.1, 0.05), InputError);
  EXPECT_THROW(frames_in_window(even, 0.2, std::numeric_limits<double>::quiet_NaN(), {}),
               InputError);
  EXPECT_THROW(frames_in_window(even, 0.2, {}, std::numeric_limits<double>::infinity()),
               InputError);
}

}  // namespace
}  // namespace tarsier
