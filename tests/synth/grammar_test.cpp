#include "tarsier/synth/grammar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

// What a perfect parse of an event is.
ParsedEvent expected(const Event& event, FrameInterval frames) {
  ParsedEvent parsed{.kind = event.kind, .first_frame = frames.first, .last_frame = frames.last};
  if (event.kind == EventKind::appear) {
    parsed.actor = event.actor;
  } else if (event.kind != EventKind::cut) {
    parsed.actor.colour = event.actor.colour;
    parsed.actor.shape = event.actor.shape;
  }
  if (event.kind == EventKind::swap) {
    parsed.partner.colour = event.partner.colour;
    parsed.partner.shape = event.partner.shape;
  }
  if (event.kind == EventKind::move) parsed.direction = event.direction;
  if (event.kind == EventKind::recolour) parsed.to_colour = event.to_colour;
  if (event.kind == EventKind::cut) parsed.to_background = event.to_background;
  return parsed;
}

void expect_inverse(const Clip& clip, const std::string& text, Language language,
                    const std::vector<double>* frame_seconds) {
  SCOPED_TRACE(text);
  const ParsedScene parsed = parse_description(text, language);
  EXPECT_EQ(parsed.unparsed, 0);
  EXPECT_EQ(parsed.sentences, static_cast<int>(clip.events.size()) + 1);
  EXPECT_EQ(parsed.opening, clip.opening);
  EXPECT_EQ(parsed.background, clip.background);
  ASSERT_EQ(parsed.events.size(), clip.events.size());
  for (std::size_t i = 0; i < clip.events.size(); ++i) {
    const FrameInterval frames =
        frame_seconds == nullptr ? FrameInterval{} : frame_interval(clip.events[i], *frame_seconds);
    EXPECT_EQ(parsed.events[i], expected(clip.events[i], frames));
  }
}

TEST(Grammar, InvertsEveryDescription) {
  for (std::uint64_t index = 0; index < 20000 && !testing::Test::HasFailure(); ++index) {
    const bool unseen = index % 10 == 9;
    const Clip clip = make_clip(level_named(index % 20 == 0 ? "easy" : "base"),
                                unseen ? Split::test : Split::train, 5, index, {.unseen = unseen});
    const std::vector<double> seconds = sampled_seconds(clip, index % 3 == 0 ? 16 : 8);
    Random random({index});
    for (const Language language : {Language::english, Language::chinese}) {
      expect_inverse(clip, describe(clip, language, random), language, nullptr);
      expect_inverse(clip, describe_with_intervals(clip, seconds, language, random), language,
                     &seconds);
    }
  }
}

TEST(Grammar, ReadsByHand) {
  const ParsedScene parsed = parse_description(
      " On a gray background, there is a small red circle at the top left and a big blue star in "
      "the center."
      "<frame: 2-4>The red circle moves right.<frame: 5>The background turns pink. The red circle "
      "and the blue star "
      "swap places. ",
      Language::english);
  EXPECT_EQ(parsed.sentences, 4);
  EXPECT_EQ(parsed.unparsed, 0);
  EXPECT_EQ(parsed.background, Background::gray);
  EXPECT_THAT(parsed.opening,
              testing::ElementsAre(Look{Shape::circle, Colour::red, ShapeSize::small, 0},
                                   Look{Shape::star, Colour::blue, ShapeSize::big, 4}));
  ASSERT_EQ(parsed.events.size(), 3u);
  EXPECT_EQ(parsed.events[0].direction, Direction::right);
  EXPECT_EQ(parsed.events[0].first_frame, 1);
  EXPECT_EQ(parsed.events[0].last_frame, 3);
  EXPECT_EQ(parsed.events[1].to_background, Background::pink);
  EXPECT_EQ(parsed.events[1].first_frame, 4);
  EXPECT_EQ(parsed.events[1].last_frame, 4);
  EXPECT_EQ(parsed.events[2].partner.shape, Shape::star);
}

TEST(Grammar, CountsWhatItCannotRead) {
  const auto unparsed = [](std::string_view text) {
    return parse_description(text, Language::english).unparsed;
  };
  EXPECT_EQ(unparsed(""), 0);
  EXPECT_EQ(unparsed(" \n"), 0);
  EXPECT_EQ(unparsed("The red circle jumps"), 0);  // cut short after its last word
  EXPECT_EQ(unparsed("The red circle jum"), 1);
  EXPECT_EQ(unparsed("The red circle jumps high. The red circle jumps."), 1);
  EXPECT_EQ(unparsed("The circle jumps. A dog barks."), 2);
  EXPECT_EQ(unparsed("<frame: 3-2>The red circle jumps."), 1);
  EXPECT_EQ(unparsed("<frame: 0-2>The red circle jumps."), 1);
  EXPECT_EQ(unparsed("<frame: 2-4>"), 1);
  EXPECT_EQ(unparsed("<frame: 99999999999999999999>The red circle jumps."), 1);
  EXPECT_EQ(unparsed("On a gray background, there is."), 1);
  EXPECT_EQ(unparsed(std::string(100000, '.')), 0);
  EXPECT_EQ(parse_description("红色圆形跳动。你好。", Language::chinese).unparsed, 1);
}

}  // namespace
}  // namespace tarsier
