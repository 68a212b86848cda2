#include "tarsier/synth/raster.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tarsier/base/error.h"
#include "tarsier/synth/scene.h"

namespace tarsier {
namespace {

Clip one_object(Look look, Background background = Background::black) {
  return {.level = "base",
          .seconds = 8,
          .background = background,
          .opening = {look},
          .objects = {{.look = look}},
          .events = {}};
}

int distance(std::span<const std::uint8_t> pixel, std::array<std::uint8_t, 3> rgb) {
  int most = 0;
  for (std::size_t i = 0; i < 3; ++i) most = std::max(most, std::abs(pixel[i] - rgb[i]));
  return most;
}

std::uint64_t hash(const std::vector<std::uint8_t>& bytes) {  // FNV-1a
  std::uint64_t value = 0xcbf29ce484222325ULL;
  for (const std::uint8_t byte : bytes) value = (value ^ byte) * 0x100000001b3ULL;
  return value;
}

TEST(Raster, EveryShapeHasItsColourInItsCellOnly) {
  for (int shape = 0; shape < kShapes; ++shape) {
    for (const Cell cell : {0, 4, 8}) {
      const Look look{static_cast<Shape>(shape), Colour::cyan, ShapeSize::big, cell};
      const std::vector<std::uint8_t> rgb = render(one_object(look), 0, 336);
      int painted = 0;
      for (int y = 0; y < 336; ++y) {
        for (int x = 0; x < 336; ++x) {
          const auto pixel = std::span(rgb).subspan(static_cast<std::size_t>((y * 336 + x) * 3), 3);
          if (distance(pixel, rgb_of(Background::black)) <= 5) continue;
          EXPECT_EQ(y / 112 * 3 + x / 112, cell) << "shape " << shape;
          painted += distance(pixel, rgb_of(Colour::cyan)) == 0 ? 1 : 0;
        }
      }
      EXPECT_GT(painted, 2000) << "shape " << shape;
      EXPECT_LT(painted, 8500) << "shape " << shape;
    }
  }
}

TEST(Raster, ColoursAndBackgroundsAreFarApart) {
  std::vector<std::array<std::uint8_t, 3>> all;
  for (int i = 0; i < kColours; ++i) all.push_back(rgb_of(static_cast<Colour>(i)));
  for (int i = 0; i < kBackgrounds; ++i) all.push_back(rgb_of(static_cast<Background>(i)));
  for (std::size_t a = 0; a < all.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) EXPECT_GE(distance(all[a], all[b]), 60) << a << " " << b;
  }
}

TEST(Raster, SmallIsSmallerAndEdgesAreSmooth) {
  const Look look{Shape::circle, Colour::red, ShapeSize::small, 4};
  const std::vector<std::uint8_t> rgb = render(one_object(look, Background::white), 0);
  int painted = 0, edge = 0;
  for (std::size_t i = 0; i < rgb.size(); i += 3) {
    const auto pixel = std::span(rgb).subspan(i, 3);
    const bool full = distance(pixel, rgb_of(Colour::red)) == 0;
    painted += full ? 1 : 0;
    edge += !full && distance(pixel, rgb_of(Background::white)) > 5 ? 1 : 0;
  }
  EXPECT_NEAR(painted, 3.14159 * 30.4 * 30.4, 200);
  EXPECT_GT(edge, 100);
}

TEST(Raster, ARendererAgreesWithSingleFramesAtAnySide) {
  const Clip clip = make_clip(level_named("base"), Split::train, 3, 5);
  Renderer renderer(clip, 84);
  for (const double seconds : {0.0, 2.0, 5.0, 8.0}) {
    const std::vector<std::uint8_t> rgb = renderer.render(seconds);
    EXPECT_EQ(rgb.size(), 84u * 84u * 3u);
    EXPECT_EQ(rgb, render(clip, seconds, 84));
  }
  EXPECT_THROW(Renderer(clip, 0), ConfigError);
  EXPECT_EQ(render(clip, 0, 1).size(), 3u);
}

TEST(Raster, FramesAreTheSameBytesEverywhere) {
  std::uint64_t value = 0;
  for (std::uint64_t index = 0; index < 20; ++index) {
    Renderer renderer(make_clip(level_named("base"), Split::train, 1, index));
    for (const double seconds : {0.0, 1.0, 3.0, 5.0, 7.0})
      value = value * 31 + hash(renderer.render(seconds));
  }
  EXPECT_EQ(value, 16800897622373209847u);
}

}  // namespace
}  // namespace tarsier
