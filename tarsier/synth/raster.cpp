#include "tarsier/synth/raster.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "tarsier/base/error.h"
#include "tarsier/base/random.h"
#include "tarsier/synth/shape_distance.h"
#include "tarsier/synth/surface.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

struct Canvas {
  std::span<std::uint8_t> rgb;
  std::int64_t side;
};

template <class Distance>
void shade(const Canvas& canvas, const Sprite& sprite, const Distance& distance, double reach) {
  const double scale = static_cast<double>(canvas.side) / kPictureSide;
  const double centre_x = sprite.x * scale, centre_y = sprite.y * scale;
  const auto clip_to_side = [&](double value) {
    return std::clamp(static_cast<std::int64_t>(std::floor(value)), std::int64_t{0}, canvas.side);
  };
  const std::int64_t left = clip_to_side(centre_x - reach - 1),
                     right = clip_to_side(centre_x + reach + 2);
  const std::int64_t top = clip_to_side(centre_y - reach - 1),
                     bottom = clip_to_side(centre_y + reach + 2);
  const auto [sine, cosine] = sine_cosine(sprite.turns);
  const auto s = static_cast<float>(sine), c = static_cast<float>(cosine);
  const auto opacity = static_cast<float>(sprite.opacity * 256);
  std::array<std::int32_t, 3> colour;
  for (std::size_t i = 0; i < 3; ++i) colour[i] = static_cast<std::int32_t>(sprite.rgb[i] + 0.5);
  for (std::int64_t row = top; row < bottom; ++row) {
    const float y = static_cast<float>(static_cast<double>(row) + 0.5 - centre_y);
    std::uint8_t* pixel = canvas.rgb.data() + (row * canvas.side + left) * 3;
    for (std::int64_t column = left; column < right; ++column, pixel += 3) {
      const float x = static_cast<float>(static_cast<double>(column) + 0.5 - centre_x);
      const float coverage = 0.5f - distance(c * x + s * y, c * y - s * x);
      if (coverage <= 0) continue;
      const auto alpha = static_cast<std::int32_t>(std::min(coverage, 1.0f) * opacity + 0.5f);
      for (std::size_t i = 0; i < 3; ++i) {
        pixel[i] =
            static_cast<std::uint8_t>((pixel[i] * (256 - alpha) + colour[i] * alpha + 128) >> 8);
      }
    }
  }
}

void draw(const Canvas& canvas, const Sprite& sprite) {
  const double radius = sprite.radius * static_cast<double>(canvas.side) / kPictureSide;
  const auto r = static_cast<float>(radius);
  switch (sprite.shape) {  // radii chosen so that the six look alike in size
    case Shape::circle:
      return shade(canvas, sprite, CircleDistance{0.92f * r}, radius);
    case Shape::square:
      return shade(canvas, sprite, SquareDistance{0.78f * r}, 1.12 * radius);
    case Shape::triangle:
      return shade(canvas, sprite, TriangleDistance{0.53f * r}, 1.12 * radius);
    case Shape::cross:
      return shade(canvas, sprite, CrossDistance{0.98f * r, 0.3f * r}, 1.05 * radius);
    case Shape::ring:
      return shade(canvas, sprite, RingDistance{0.76f * r, 0.2f * r}, radius);
    case Shape::star:
      return shade(canvas, sprite, star_distance(1.08f * r), 1.1 * radius);
    case Shape::figure:
      return shade(canvas, sprite, figure_distance(r, sprite.stride, sprite.wave), 1.05 * radius);
  }
}

Sprite seen_from(Sprite sprite, const View& view) {
  constexpr double kMiddle = kPictureSide / 2;
  sprite.x = (sprite.x - kMiddle) * view.zoom + kMiddle + view.x;
  sprite.y = (sprite.y - kMiddle) * view.zoom + kMiddle + view.y;
  sprite.radius *= view.zoom;
  return sprite;
}

}  // namespace

Renderer::Renderer(Clip clip, std::int64_t side) : clip_(std::move(clip)), side_(side) {
  if (side < 1 || side > 4096) {
    throw ConfigError(
        {"side", std::to_string(side) + " is no picture side", "use 1 to 4096 pixels"});
  }
}

const std::vector<std::uint8_t>& Renderer::canvas(Background background) {
  std::vector<std::uint8_t>& canvas = canvases_[static_cast<std::size_t>(background)];
  if (canvas.empty()) {
    constexpr std::uint64_t kTag = 0x74657874757265;  // "texture"
    canvas = textured(rgb_of(background), side_,
                      Random({kTag, static_cast<std::uint64_t>(clip_.split), clip_.seed,
                              clip_.index, static_cast<std::uint64_t>(background)}));
    if (clip_.horizon > 0) draw_ground(canvas, side_, clip_.horizon);
  }
  return canvas;
}

void Renderer::render(double seconds, std::span<std::uint8_t> rgb) {
  const SceneState state = state_at(clip_, seconds);
  const std::vector<std::uint8_t>& background = canvas(state.background);
  check(rgb.size() == background.size(), "the picture's buffer is [side, side, 3]");
  if (state.view == View{}) {
    std::copy(background.begin(), background.end(), rgb.begin());
    for (const Sprite& sprite : state.sprites) draw({rgb, side_}, sprite);
    return;
  }
  draw_seen_from(background, side_, state.view, rgb);
  for (const Sprite& sprite : state.sprites) draw({rgb, side_}, seen_from(sprite, state.view));
}

std::vector<std::uint8_t> Renderer::render(double seconds) {
  std::vector<std::uint8_t> rgb(static_cast<std::size_t>(side_ * side_ * 3));
  render(seconds, rgb);
  return rgb;
}

std::vector<std::uint8_t> render(const Clip& clip, double seconds, std::int64_t side) {
  return Renderer(clip, side).render(seconds);
}

std::array<std::uint8_t, 3> rgb_of(Colour colour) {
  switch (colour) {
    case Colour::red:
      return {215, 25, 30};
    case Colour::green:
      return {25, 150, 45};
    case Colour::blue:
      return {35, 60, 230};
    case Colour::yellow:
      return {250, 215, 0};
    case Colour::purple:
      return {150, 30, 190};
    case Colour::orange:
      return {250, 125, 10};
    case Colour::cyan:
      return {0, 205, 220};
  }
  return {};
}

std::array<std::uint8_t, 3> rgb_of(Background background) {
  switch (background) {
    case Background::black:
      return {16, 16, 16};
    case Background::white:
      return {242, 242, 242};
    case Background::gray:
      return {128, 128, 128};
    case Background::brown:
      return {94, 60, 34};
    case Background::pink:
      return {250, 150, 185};
  }
  return {};
}

}  // namespace tarsier
