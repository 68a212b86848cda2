#include "tarsier/cli/frame_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

GroundedText parse(std::string_view answer) { return parse_frame_events(answer, 8, "nano"); }

std::string refusal(std::string_view answer) {
  try {
    parse(answer);
  } catch (const CheckpointError& error) {
    return error.what();
  }
  return "";
}

TEST(FrameEvents, ReadsTarsier2sNotation) {
  const GroundedText text = parse(
      "A red circle is in the center.<frame: 2-4>It moves right.<frame: 5>It turns blue.\n<frame: "
      "6-8> It\nspins. ");
  EXPECT_EQ(text.opening, "A red circle is in the center.");
  EXPECT_THAT(text.events,
              ElementsAre(FrameEvent{2, 4, "It moves right."}, FrameEvent{5, 5, "It turns blue."},
                          FrameEvent{6, 8, "It\nspins."}));
}

TEST(FrameEvents, ToleratesSpacesAndNoText) {
  EXPECT_THAT(parse("<frame:1 - 3>").events, ElementsAre(FrameEvent{1, 3, ""}));
  EXPECT_THAT(parse("<frame: 1-2><frame: 8>").events,
              ElementsAre(FrameEvent{1, 2, ""}, FrameEvent{8, 8, ""}));
}

TEST(FrameEvents, NeverInventsAnInterval) {
  EXPECT_THAT(
      refusal("A red circle moves right."),
      HasSubstr("nano: answered without a frame interval; it said 'A red circle moves right.'"));
  EXPECT_THAT(refusal(""), HasSubstr("it said ''"));
  for (const char* bad : {"<frame: >x", "<frame: a-b>x", "<frame: 2->x", "<frame: -3>x",
                          "<frame: 2-3-4>x", "<frame: 2-4 x", "<frame: 2.5>x",
                          "<frame: 1><frame: x>", "<frame: 99999999999999999999>x"}) {
    EXPECT_THAT(refusal(bad), HasSubstr("cannot be read")) << bad;
  }
  EXPECT_THAT(refusal("<frame: 0-2>x"), HasSubstr("frames 0-2 of 8"));
  EXPECT_THAT(refusal("<frame: 7-9>x"), HasSubstr("frames 7-9 of 8"));
  EXPECT_THAT(refusal("<frame: 5-3>x"), HasSubstr("frames 5-3 of 8"));
}

TEST(FrameEvents, ALongAnswerIsShownInPart) {
  std::string answer;
  for (int i = 0; i < 300; ++i) answer += "é";
  EXPECT_THAT(refusal(answer), HasSubstr("é...'"));
}

TEST(FrameSeconds, ReachHalfwayToTheNeighbours) {
  const std::vector<double> times = {0, 2, 4, 6};
  const auto seconds = [&](std::int64_t first, std::int64_t last) {
    const SecondsInterval when = seconds_of({first, last, ""}, times, 0, 8);
    return std::pair(when.start, when.end);
  };
  EXPECT_EQ(seconds(2, 3), std::pair(1.0, 5.0));
  EXPECT_EQ(seconds(1, 1), std::pair(0.0, 1.0));
  EXPECT_EQ(seconds(4, 4), std::pair(5.0, 8.0));
  EXPECT_EQ(seconds(1, 4), std::pair(0.0, 8.0));
  const SecondsInterval window = seconds_of({1, 2, ""}, std::vector<double>{10.2, 11.2}, 10, 12);
  EXPECT_EQ(window.start, 10);
  EXPECT_EQ(window.end, 12);
  EXPECT_THROW(seconds_of({1, 5, ""}, times, 0, 8), InternalError);
}

TEST(FrameSeconds, AreNoFinerThanTheFrames) {
  EXPECT_EQ(sampling_step(std::vector<double>{0, 2, 4}, 0, 5), 2);
  EXPECT_EQ(sampling_step(std::vector<double>{1}, 0, 5), 5);
  EXPECT_EQ(interval_text({0.57, 2.86}, 1.14), "1-3 s");
  EXPECT_EQ(interval_text({0.57, 2.86}, 1.0), "1-3 s");
  EXPECT_EQ(interval_text({0.57, 2.86}, 0.5), "0.6-2.9 s");
  EXPECT_EQ(interval_text({0.57, 2.86}, 0.04), "0.57-2.86 s");
  EXPECT_EQ(interval_text({12, 70}, 30), "12-70 s");
  EXPECT_EQ(interval_text({0, 0}, 0), "0-0 s");
}

}  // namespace
}  // namespace tarsier
