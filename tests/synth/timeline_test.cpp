#include "tarsier/synth/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/synth/scene.h"

namespace tarsier {
namespace {

using testing::ElementsAre;

constexpr Look kCircle{Shape::circle, Colour::red, ShapeSize::small, 0};
constexpr Look kStar{Shape::star, Colour::blue, ShapeSize::big, 4};

Clip two_objects(std::vector<Event> events) {
  return {.level = "base",
          .seconds = 8,
          .background = Background::gray,
          .opening = {kCircle, kStar},
          .objects = {{.look = kCircle}, {.look = kStar}},
          .events = std::move(events)};
}

Event event(EventKind kind, double start, double end, int object) {
  Event made{.kind = kind, .start = start, .end = end, .object = object};
  made.actor = object == 0 ? kCircle : kStar;
  return made;
}

TEST(Timeline, AMoveGoesOneCell) {
  Event move = event(EventKind::move, 1, 3, 0);
  move.direction = Direction::right;
  const Clip clip = two_objects({move});
  EXPECT_DOUBLE_EQ(state_at(clip, 0).sprites[0].x, 56);
  EXPECT_DOUBLE_EQ(state_at(clip, 2).sprites[0].x, 112);
  EXPECT_DOUBLE_EQ(state_at(clip, 9).sprites[0].x, 168);
  EXPECT_EQ(looks_at(clip, 1.9)[0].cell, 0);
  EXPECT_EQ(looks_at(clip, 2)[0].cell, 1);
}

TEST(Timeline, SizeColourAndRotationChangeInBetween) {
  Event recolour = event(EventKind::recolour, 4, 6, 0);
  recolour.to_colour = Colour::cyan;
  const Clip clip =
      two_objects({event(EventKind::grow, 1, 3, 0), recolour, event(EventKind::spin, 6.4, 7.4, 1)});
  EXPECT_DOUBLE_EQ(state_at(clip, 2).sprites[0].radius, (kSmallRadius + kBigRadius) / 2);
  EXPECT_EQ(looks_at(clip, 8)[0].size, ShapeSize::big);
  EXPECT_EQ(looks_at(clip, 8)[0].colour, Colour::cyan);
  EXPECT_GT(state_at(clip, 5).sprites[0].rgb[0], state_at(clip, 6).sprites[0].rgb[0]);
  EXPECT_DOUBLE_EQ(state_at(clip, 8).sprites[1].turns, 1.125);
}

TEST(Timeline, AJumpLeavesTheGroundTwice) {
  const Clip clip = two_objects({event(EventKind::jump, 2, 4, 1)});
  const auto height = [&](double seconds) { return 168 - state_at(clip, seconds).sprites[1].y; };
  EXPECT_DOUBLE_EQ(height(2.5), kJumpHeight);
  EXPECT_DOUBLE_EQ(height(3), 0);
  EXPECT_DOUBLE_EQ(height(3.5), kJumpHeight);
  EXPECT_DOUBLE_EQ(height(4), 0);
}

TEST(Timeline, ASwapExchangesCellsWithoutMeeting) {
  Event swap = event(EventKind::swap, 1, 3, 0);
  swap.other = 1;
  swap.partner = kStar;
  const Clip clip = two_objects({swap});
  const SceneState middle = state_at(clip, 2);
  const double dx = middle.sprites[0].x - middle.sprites[1].x,
               dy = middle.sprites[0].y - middle.sprites[1].y;
  EXPECT_GT(dx * dx + dy * dy, 85.0 * 85.0);
  EXPECT_EQ(looks_at(clip, 4)[0].shape, Shape::star);
  EXPECT_DOUBLE_EQ(state_at(clip, 4).sprites[0].x, 168);
  EXPECT_DOUBLE_EQ(state_at(clip, 4).sprites[1].y, 56);
}

TEST(Timeline, FadingObjectsAreDrawnButListedFromTheMiddle) {
  const Clip clip = two_objects({event(EventKind::disappear, 1, 3, 1)});
  EXPECT_DOUBLE_EQ(state_at(clip, 2.5).sprites[1].opacity, 0.25);
  EXPECT_EQ(looks_at(clip, 1.5).size(), 2u);
  EXPECT_EQ(looks_at(clip, 2.5).size(), 1u);
  EXPECT_EQ(state_at(clip, 3).sprites.size(), 1u);
}

TEST(Timeline, ACutIsBetweenTwoFrames) {
  Event cut{.kind = EventKind::cut, .start = 2.96, .end = 3.0, .to_background = Background::pink};
  const Clip clip = two_objects({cut});
  EXPECT_EQ(background_at(clip, 2.96), Background::gray);
  EXPECT_EQ(background_at(clip, 3.0), Background::pink);
  EXPECT_EQ(background_at(clip, 2.9999999),
            Background::pink);  // times read from a file are rounded
}

TEST(Timeline, EventsAreFoundByTime) {
  const Clip clip = two_objects({event(EventKind::grow, 1, 3, 0), event(EventKind::jump, 4, 6, 1)});
  EXPECT_EQ(event_at(clip, 0.5), nullptr);
  EXPECT_EQ(event_at(clip, 3), &clip.events[0]);
  EXPECT_THAT(events_between(clip, 2, 5), ElementsAre(&clip.events[0], &clip.events[1]));
  EXPECT_THAT(events_between(clip, 3.5, 3.9), ElementsAre());
}

TEST(Timeline, FrameIntervalsReachFromTheSceneBeforeToTheSceneAfter) {
  const std::vector<double> frames = {0, 1, 2, 3, 4};
  const auto interval = [&](double start, double end) {
    return frame_interval({.kind = EventKind::grow, .start = start, .end = end}, frames);
  };
  EXPECT_EQ(interval(1.2, 2.8), (FrameInterval{1, 3}));
  EXPECT_EQ(interval(1, 3), (FrameInterval{1, 3}));
  EXPECT_EQ(interval(1.0001, 2.9999), (FrameInterval{1, 3}));
  EXPECT_EQ(interval(0.9, 3.1), (FrameInterval{0, 4}));
  EXPECT_EQ(interval(2.96, 3), (FrameInterval{2, 3}));
  EXPECT_EQ(interval(5, 6), (FrameInterval{4, 4}));
  EXPECT_EQ(frame_interval({.kind = EventKind::grow, .start = 1, .end = 2}, std::vector<double>{4}),
            (FrameInterval{0, 0}));
}

TEST(Timeline, FrameIntervalsStandForSeconds) {
  const std::vector<double> frames = {0, 1, 2, 3};
  EXPECT_EQ(seconds_of({1, 2}, frames, 3.5), (std::pair{0.5, 2.5}));
  EXPECT_EQ(seconds_of({0, 3}, frames, 3.5), (std::pair{0.0, 3.5}));
}

TEST(Timeline, SamplesFromTheFirstFrameToTheLast) {
  const Clip clip = two_objects({});
  EXPECT_EQ(frame_count(clip), 200);
  EXPECT_THAT(sampled_seconds(clip, 8), ElementsAre(0, 28 / 25.0, 57 / 25.0, 85 / 25.0, 114 / 25.0,
                                                    142 / 25.0, 171 / 25.0, 199 / 25.0));
  EXPECT_THAT(sampled_seconds(clip, 1), ElementsAre(4.0));
  EXPECT_THAT(sampled_seconds(clip, 2), ElementsAre(0, 199 / 25.0));
}

}  // namespace
}  // namespace tarsier
