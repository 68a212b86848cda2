#include "tarsier/grounding/frame_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

FrameText parse(std::string_view answer) { return parse_frame_events({answer, "nano"}, 8); }

std::string refusal(std::string_view answer) {
  try {
    parse(answer);
  } catch (const CheckpointError& error) {
    return error.what();
  }
  return "";
}

TEST(FrameEvents, ReadsTarsier2sNotation) {
  const FrameText text = parse(
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

TEST(FrameEvents, AMarkerIsSeenBeforeItIsRead) {
  EXPECT_TRUE(has_frame_marker("x <frame: what"));
  EXPECT_FALSE(has_frame_marker("frame 3"));
}

}  // namespace
}  // namespace tarsier
