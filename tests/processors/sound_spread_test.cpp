#include "tarsier/processors/sound_spread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarsier {
namespace {

using testing::ElementsAre;

// models-video-salmonn-2.md 3.5, T4.
TEST(SoundSpread, GivesEveryFrameTheSameNumber) {
  struct Row {
    double seconds;
    std::int64_t frames, tokens, places, per_frame, media;
  };
  for (const Row& row : {Row{2, 2, 60, 60, 30, 424}, Row{10, 10, 60, 60, 6, 1880},
                         Row{30, 30, 60, 60, 2, 5520}, Row{31, 31, 120, 124, 4, 5766},
                         Row{45, 45, 120, 135, 3, 8325}, Row{60, 60, 120, 120, 2, 11040},
                         Row{110, 110, 240, 330, 3, 20350}, Row{1.1, 2, 60, 56, 28, 425}}) {
    SCOPED_TRACE(row.seconds);
    const SoundSpread spread = spread_sound(row.tokens, row.frames, row.seconds);
    EXPECT_EQ(static_cast<std::int64_t>(spread.source.size()), row.places);
    EXPECT_EQ(spread.per_frame, row.per_frame);
    EXPECT_EQ(182 * row.frames + spread.placed(row.tokens), row.media);
  }
}

TEST(SoundSpread, RepeatsTheNearest) {
  EXPECT_THAT(spread_sound(7, 4, 100).source, ElementsAre(0, 0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(spread_sound(5, 3, 100).source, ElementsAre(0, 0, 1, 2, 3, 4));
  const auto wide = spread_sound(60, 40, 100).source;
  EXPECT_EQ(wide.size(), 80U);
  EXPECT_THAT(std::vector(wide.begin(), wide.begin() + 12),
              ElementsAre(0, 0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8));
  EXPECT_EQ(wide.back(), 59);
}

TEST(SoundSpread, LeavesTheRestBehindTheLastFrame) {
  const SoundSpread spread = spread_sound(60, 2, 1.1);
  EXPECT_EQ(spread.back, 55);
  EXPECT_EQ(spread_sound(60, 2, 0.5).back, 25);  // 25 half-seconds of sound, 12.5 to either frame
  EXPECT_EQ(spread_sound(60, 2, 0.05).back, 2);  // 2.5 rounds to even
  const SoundSpread none = spread_sound(60, 3, 0.001);
  EXPECT_EQ(none.per_frame, 0);
  EXPECT_EQ(none.placed(60), 60);
}

// T5.
TEST(TimeWords, AreRoundedAsPythonRounds) {
  EXPECT_THAT(time_words(2.5, 3), ElementsAre("0.8", "1.7", "2.5"));
  EXPECT_THAT(time_words(10, 4), ElementsAre("2.5", "5.0", "7.5", "10.0"));
  EXPECT_THAT(time_words(0.25, 1), ElementsAre("0.2"));
  EXPECT_THAT(time_words(0.75, 1), ElementsAre("0.8"));
}

}  // namespace
}  // namespace tarsier
