// Times of answers against a clock burnt into the pictures: each frame carries its number, and the
// test knows when each number is shown.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tarsier/cli/clip.h"
#include "tarsier/grounding/timed_answer.h"
#include "tarsier/media/video_writer.h"
#include "tests/cli/run_tarsier.h"
#include "tests/media/numbered_picture.h"

namespace tarsier {
namespace {

using testing::number_in;
using testing::numbered_picture;

constexpr Size kSize{48, 64};
constexpr std::int64_t kFrames = 120;

/// Milliseconds from the first frame to each: by rates that change from 50 a second to 4.
std::vector<std::int64_t> uneven_times() {
  std::vector<std::int64_t> times;
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < kFrames; ++i) {
    times.push_back(at);
    at += i < 60 ? 20 : i < 90 ? 40 + i % 3 * 7 : 250;
  }
  return times;
}

struct Case {
  const char* file;
  double picture_starts = 0;  // in the container
  const char* sound = "";     // its codec; from the container's start on
  double first_frame = 0;     // seconds of the clip, which counts from its earliest track
};

class GroundTimes : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    path_ = folder_.path() / GetParam().file;
    VideoWriterOptions options;
    options.start_seconds = GetParam().picture_starts;
    options.sound.codec = GetParam().sound;
    VideoWriter writer(path_, kSize, options);
    if (!options.sound.codec.empty()) writer.write_sound(std::vector<float>(16'000, 0.1F));
    for (std::int64_t i = 0; i < kFrames; ++i)
      writer.write_at(numbered_picture(i, kSize), uneven_times()[static_cast<std::size_t>(i)]);
    writer.finish();
  }

  /// When a frame is shown.
  static double shown(std::int64_t number) {
    return GetParam().first_frame +
           static_cast<double>(uneven_times()[static_cast<std::size_t>(number)]) / 1000;
  }

  ScratchFolder folder_;
  std::string path_;
};

TEST_P(GroundTimes, FramesAreShownWhenTheClockSays) {
  for (const SamplingRule& rule : {tarsier2_sampling({}), qwen2_vl_sampling()}) {
    const MediaClip clip = read_picture_clip(path_, rule, {}, false);
    for (std::size_t i = 0; i < clip.choice.seconds.size(); ++i)
      EXPECT_NEAR(clip.choice.seconds[i], shown(number_in(clip.pictures->frames[i])), 0.002);
    EXPECT_NEAR(clip.start_seconds, shown(0), 0.002);
    EXPECT_GT(clip.end_seconds, shown(kFrames - 1));
  }
}

// An event is shown by the frames numbered `from` to `to`. A model that sees it right names those
// of them it was given, by number or in seconds of frames it takes for evenly spaced.
TEST_P(GroundTimes, EventsLieWithinAStepOfTheClock) {
  FrameRequest window;
  window.start = shown(20) + 0.001;
  for (const FrameRequest& request : {FrameRequest{}, window}) {
    const MediaClip clip = read_picture_clip(path_, tarsier2_sampling({}), request, false);
    const ClipClock clock{clip.choice.seconds, clip.start_seconds, clip.end_seconds};
    std::vector<std::int64_t> numbers;
    for (const Frame& frame : clip.pictures->frames) numbers.push_back(number_in(frame));
    const auto gap_before = [&](std::size_t i) {
      return i == 0 ? 0 : clip.choice.seconds[i] - clip.choice.seconds[i - 1];
    };
    bool evenness_would_mislead = false;
    for (const auto& [from, to] : {std::pair<std::int64_t, std::int64_t>{30, 50},
                                   {55, 70},
                                   {65, 92},
                                   {80, 110},
                                   {100, 118}}) {
      const auto first = static_cast<std::size_t>(
          std::lower_bound(numbers.begin(), numbers.end(), from) - numbers.begin());
      const auto past = static_cast<std::size_t>(
          std::upper_bound(numbers.begin(), numbers.end(), to) - numbers.begin());
      ASSERT_LT(first, past);
      ASSERT_LT(past, numbers.size());
      const double step = sampling_step(clock), lead = clip.choice.seconds[0] - clock.start;
      const double said_start = lead + (static_cast<double>(first) - 0.5) * step,
                   said_end = lead + (static_cast<double>(past) - 0.5) * step;
      const std::vector<std::string> answers = {
          "<frame: " + std::to_string(first + 1) + "-" + std::to_string(past) + ">It runs.",
          "[" + std::to_string(said_start) + "-" + std::to_string(said_end) + "] It runs."};
      for (const std::string& answer : answers) {
        const TimedEvent event = read_timed_answer({answer, "model"}, clock, "").events.at(0);
        EXPECT_NEAR(event.when.start, shown(from), gap_before(first) / 2 + 0.002) << answer;
        EXPECT_NEAR(event.when.end, shown(to + 1), gap_before(past) / 2 + 0.002) << answer;
      }
      evenness_would_mislead =
          evenness_would_mislead || std::abs(clock.start + said_start - shown(from)) > 2 * step;
    }
    EXPECT_TRUE(evenness_would_mislead);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Containers, GroundTimes,
    // AAC in mkv would begin with an encoder's priming, and move the pictures by as much.
    ::testing::Values(Case{"plain.mp4", 0, "", 0}, Case{"plain.mkv", 0, "", 0},
                      Case{"late.mkv", 5, "", 0}, Case{"late.mp4", 1.5, "", 0},
                      Case{"late_behind_sound.mkv", 1.5, "pcm_s16le", 1.5},
                      Case{"late_behind_sound.mp4", 1.5, "aac", 1.5}),
    [](const auto& info) {
      std::string name = info.param.file;
      std::replace(name.begin(), name.end(), '.', '_');
      return name;
    });

}  // namespace
}  // namespace tarsier
