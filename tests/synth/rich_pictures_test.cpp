// How the things of the level rich are drawn.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tarsier/synth/raster.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

constexpr Look kSmallStar{Shape::star, Colour::cyan, ShapeSize::small, 3};
constexpr Look kBigCircle{Shape::circle, Colour::red, ShapeSize::big, 4};

Clip clip_of(std::vector<Look> looks, std::vector<Event> events = {}) {
  Clip clip{.level = "rich", .seconds = 8, .opening = looks, .objects = {}, .events = events};
  for (const Look& look : looks) clip.objects.push_back({.look = look});
  return clip;
}

Event event_of(EventKind kind, const Look& actor, int object = 0) {
  Event event{.kind = kind, .start = 2, .end = 4, .object = object};
  event.actor = actor;
  return event;
}

std::array<int, 3> pixel(const std::vector<std::uint8_t>& rgb, int x, int y) {
  const std::size_t at = static_cast<std::size_t>((y * 336 + x) * 3);
  return {rgb[at], rgb[at + 1], rgb[at + 2]};
}

bool is(const std::array<int, 3>& pixel, Colour colour) {
  const std::array<std::uint8_t, 3> rgb = rgb_of(colour);
  for (std::size_t i = 0; i < 3; ++i) {
    if (std::abs(pixel[i] - rgb[i]) > 3) return false;
  }
  return true;
}

int count(const std::vector<std::uint8_t>& rgb, Colour colour) {
  int pixels = 0;
  for (int y = 0; y < 336; ++y) {
    for (int x = 0; x < 336; ++x) pixels += is(pixel(rgb, x, y), colour) ? 1 : 0;
  }
  return pixels;
}

TEST(RichPictures, WhoHidesIsDrawnBehindAndIsGoneForAMoment) {
  for (const bool first : {true, false}) {  // whichever stands first in the clip
    Event hide = event_of(EventKind::hide, kSmallStar, first ? 0 : 1);
    hide.other = first ? 1 : 0;
    hide.partner = kBigCircle;
    const Clip clip = first ? clip_of({kSmallStar, kBigCircle}, {hide})
                            : clip_of({kBigCircle, kSmallStar}, {hide});
    const int whole = count(render(clip, 0), Colour::cyan);
    EXPECT_GT(whole, 500);
    EXPECT_EQ(count(render(clip, 3), Colour::cyan), 0);
    const int halfway = count(render(clip, 2.45), Colour::cyan);
    EXPECT_GT(halfway, 0);
    EXPECT_LT(halfway, whole);
    EXPECT_TRUE(is(pixel(render(clip, 3), 168, 168), Colour::red));
    EXPECT_EQ(render(clip, 6), render(clip, 0));
  }
}

TEST(RichPictures, WhoTouchesReachesThePartner) {
  Event touch = event_of(EventKind::touch, kSmallStar);
  touch.other = 1;
  touch.partner = kBigCircle;
  const Clip clip = clip_of({kSmallStar, kBigCircle}, {touch});
  const std::vector<Sprite> sprites = state_at(clip, 3).sprites;
  EXPECT_NEAR(sprites[1].x - sprites[0].x, 0.9 * 33 + 0.92 * 52, 1e-9);
  EXPECT_DOUBLE_EQ(sprites[1].x, 168);
  EXPECT_DOUBLE_EQ(state_at(clip, 4).sprites[0].x, 56);
}

TEST(RichPictures, WhoBouncesReachesTheEdge) {
  Event bounce = event_of(EventKind::bounce, kBigCircle);
  bounce.direction = Direction::up;
  const Clip clip = clip_of({kBigCircle}, {bounce});
  EXPECT_NEAR(state_at(clip, 3).sprites[0].y, 0.92 * 52, 1e-9);
  EXPECT_DOUBLE_EQ(state_at(clip, 3).sprites[0].x, 168);
  EXPECT_DOUBLE_EQ(state_at(clip, 4.5).sprites[0].y, 168);
}

TEST(RichPictures, WhoFollowsTakesThePlaceOfThePartner) {
  Event follow = event_of(EventKind::follow, kSmallStar);
  follow.other = 1;
  follow.direction = Direction::right;
  follow.partner = kBigCircle;
  const Clip clip = clip_of({kSmallStar, kBigCircle}, {follow});
  EXPECT_DOUBLE_EQ(state_at(clip, 2.4).sprites[0].x, 56);  // sets out later
  EXPECT_GT(state_at(clip, 2.4).sprites[1].x, 168);
  const std::vector<Look> after = looks_at(clip, 5);
  EXPECT_EQ(after[0].cell, 4);
  EXPECT_EQ(after[0].shape, Shape::star);
  EXPECT_EQ(after[1].cell, 5);
}

TEST(RichPictures, AGroupIsDrawnAsItsMembers) {
  Look group{Shape::square, Colour::green, ShapeSize::small, 4, 2};
  Event recount = event_of(EventKind::recount, group);
  recount.to_count = 5;
  const Clip clip = clip_of({group}, {recount});
  EXPECT_EQ(state_at(clip, 0).sprites.size(), 2u);
  EXPECT_EQ(state_at(clip, 3).sprites.size(), 5u);
  EXPECT_DOUBLE_EQ(state_at(clip, 3).sprites[4].opacity, 0.5);
  EXPECT_DOUBLE_EQ(state_at(clip, 3).sprites[0].opacity, 1);
  EXPECT_EQ(looks_at(clip, 5)[0].count, 5);
  EXPECT_NEAR(count(render(clip, 5), Colour::green), 2.5 * count(render(clip, 0), Colour::green),
              60);
}

TEST(RichPictures, AFigureStandsWavesWalksAndFalls) {
  const Look figure{Shape::figure, Colour::yellow, ShapeSize::big, 4};
  const int standing = count(render(clip_of({figure}), 0), Colour::yellow);
  EXPECT_GT(standing, 800);
  EXPECT_LT(standing, 5000);
  const Clip waving = clip_of({figure}, {event_of(EventKind::wave, figure)});
  EXPECT_NE(render(waving, 2.6), render(waving, 2.8));
  EXPECT_EQ(render(waving, 5), render(waving, 0));
  const Clip falling = clip_of({figure}, {event_of(EventKind::fall, figure)});
  EXPECT_DOUBLE_EQ(state_at(falling, 4.5).sprites[0].turns, 0.25);
  const std::vector<std::uint8_t> fallen = render(falling, 7);
  EXPECT_FALSE(is(pixel(fallen, 168, 134), Colour::yellow));  // where its head was
  EXPECT_TRUE(is(pixel(render(falling, 0), 168, 134), Colour::yellow));
  Event walk = event_of(EventKind::walk, figure);
  walk.direction = Direction::left;
  const Clip walking = clip_of({figure}, {walk});
  EXPECT_NE(state_at(walking, 3).sprites[0].stride, 0);
  EXPECT_EQ(looks_at(walking, 5)[0].cell, 3);
}

TEST(RichPictures, TheCameraMovesEverything) {
  Clip clip = clip_of({kBigCircle});
  const std::vector<std::uint8_t> still = render(clip, 0);
  clip.camera = {.zoom = 1.1, .pan_x = 12, .pan_y = -6};
  EXPECT_EQ(render(clip, 0), still);  // it starts at rest
  const std::vector<std::uint8_t> moved = render(clip, 8);
  EXPECT_TRUE(is(pixel(still, 122, 168), Colour::red));  // 168 - 0.92 * 52 = 120
  EXPECT_FALSE(is(pixel(moved, 122, 168), Colour::red));
  EXPECT_TRUE(is(pixel(moved, 130, 162), Colour::red));  // 180 - 1.1 * 48 = 127
  EXPECT_TRUE(is(pixel(moved, 231, 162), Colour::red));
  EXPECT_NEAR(count(moved, Colour::red), 1.21 * count(still, Colour::red), 200);
}

TEST(RichPictures, TheGroundBeginsAtTheHorizon) {
  Clip clip = clip_of({});
  for (int background = 0; background < kBackgrounds; ++background) {
    clip.background = static_cast<Background>(background);
    clip.horizon = 0;
    const std::vector<std::uint8_t> plain = render(clip, 0);
    clip.horizon = 200;
    const std::vector<std::uint8_t> ground = render(clip, 0);
    EXPECT_EQ(pixel(ground, 100, 199), pixel(plain, 100, 199));
    const int difference = pixel(ground, 100, 200)[0] - pixel(plain, 100, 200)[0];
    EXPECT_GT(std::abs(difference), 9);
    EXPECT_LT(std::abs(difference), 45);
  }
}

}  // namespace
}  // namespace tarsier
