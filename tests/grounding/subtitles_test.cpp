#include "tarsier/grounding/subtitles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tarsier/base/error.h"
#include "tests/grounding/subtitle_reader.h"

namespace tarsier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ReadCue;
using testing::SubtitleReader;

TimedEvent event(double start, double end, std::string text) {
  return {{start, end}, std::move(text), std::nullopt, false};
}

/// The cues, after both formats were found to hold the same.
std::vector<ReadCue> cues(const std::vector<TimedEvent>& events, double step, double seconds) {
  const auto srt = SubtitleReader::srt(srt_of(events, step, seconds, "clip.mp4"));
  EXPECT_EQ(srt, SubtitleReader::vtt(vtt_of(events, step, seconds, "clip.mp4")));
  return srt;
}

TEST(Subtitles, ByteForByte) {
  const std::vector<TimedEvent> events = {event(1, 2.5, "A dog runs."),
                                          event(3725.04, 3726, "It stops.")};
  EXPECT_EQ(srt_of(events, 0.04, 4000, "clip.mp4"),
            "1\n00:00:01,000 --> 00:00:02,500\nA dog runs.\n\n"
            "2\n01:02:05,040 --> 01:02:06,000\nIt stops.\n");
  EXPECT_EQ(vtt_of(events, 0.04, 4000, "clip.mp4"),
            "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nA dog runs.\n\n"
            "01:02:05.040 --> 01:02:06.000\nIt stops.\n");
  EXPECT_EQ(srt_of({}, 1, 8, "clip.mp4"), "");
  EXPECT_EQ(vtt_of({}, 1, 8, "clip.mp4"), "WEBVTT\n");
}

TEST(Subtitles, SortedByStartAndOverlapping) {
  EXPECT_THAT(
      cues({event(4, 6, "b"), event(1, 7, "a"), event(4, 5, "c")}, 1, 8),
      ElementsAre(ReadCue{1000, 7000, "a"}, ReadCue{4000, 6000, "b"}, ReadCue{4000, 5000, "c"}));
}

TEST(Subtitles, NoFinerThanTheStepButForTheFilesEnd) {
  EXPECT_THAT(cues({event(0.57, 2.86, "a"), event(5.2, 7.96, "b")}, 1.14, 7.96),
              ElementsAre(ReadCue{1000, 3000, "a"}, ReadCue{5000, 7960, "b"}));
  EXPECT_THAT(cues({event(0.57, 2.86, "a")}, 0.5, 7.96), ElementsAre(ReadCue{600, 2900, "a"}));
}

TEST(Subtitles, EndAfterTheyStart) {
  EXPECT_THAT(cues({event(3, 3, "a")}, 1.14, 8), ElementsAre(ReadCue{3000, 4000, "a"}));
  EXPECT_THAT(cues({event(3, 3, "a")}, 0.04, 8), ElementsAre(ReadCue{3000, 3040, "a"}));
  EXPECT_THAT(cues({event(8, 8, "a")}, 1, 8), ElementsAre(ReadCue{7000, 8000, "a"}));
  EXPECT_THAT(cues({event(7.6, 7.96, "a")}, 1.14, 7.96), ElementsAre(ReadCue{6960, 7960, "a"}));
  EXPECT_THAT(cues({event(0, 0, "a")}, 30, 8), ElementsAre(ReadCue{0, 8000, "a"}));
  EXPECT_THAT(cues({event(0, 0, "a")}, 0, 0.002), ElementsAre(ReadCue{0, 2, "a"}));
}

TEST(Subtitles, TextOnOneLineWithEscapes) {
  const std::vector<TimedEvent> events = {event(1, 2, " a\n\n<b> & --> c\r\n\t1\xFF ")};
  EXPECT_THAT(cues(events, 1, 8), ElementsAre(ReadCue{1000, 2000, "a <b> & --> c 1\uFFFD"}));
  EXPECT_THAT(vtt_of(events, 1, 8, "clip.mp4"), HasSubstr("\na &lt;b> &amp; --&gt; c 1\uFFFD\n"));
}

TEST(Subtitles, OfAFileWithoutLengthAreRefused) {
  EXPECT_THROW(srt_of({}, 0, 0, "clip.mp4"), InputError);
}

}  // namespace
}  // namespace tarsier
