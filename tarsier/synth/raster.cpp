#include "tarsier/synth/raster.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "tarsier/base/error.h"
#include "tarsier/base/random.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

// Sine and cosine of a whole turn's share by a polynomial: libm's last bit differs between
// machines.
std::pair<double, double> sine_cosine(double turns) {
  const double quarters = turns * 4;
  const double nearest = std::floor(quarters + 0.5);
  const double x = (quarters - nearest) * 1.5707963267948966;  // within an eighth of a turn of 0
  const double x2 = x * x;
  const double sine =
      x * (1 + x2 * (-1.0 / 6 + x2 * (1.0 / 120 + x2 * (-1.0 / 5040 + x2 * (1.0 / 362880)))));
  const double cosine = 1 + x2 * (-0.5 + x2 * (1.0 / 24 + x2 * (-1.0 / 720 + x2 * (1.0 / 40320))));
  switch (static_cast<std::int64_t>(nearest) & 3) {
    case 0:
      return {sine, cosine};
    case 1:
      return {cosine, -sine};
    case 2:
      return {-sine, -cosine};
    default:
      return {-cosine, sine};
  }
}

// The signed distances below are in pixels, negative inside, for a shape of radius r about (0, 0),
// y down. Near outer corners they are distances to the nearest edge's line: sharp corners, and no
// square roots.
struct CircleDistance {
  float radius;
  float operator()(float x, float y) const { return std::sqrt(x * x + y * y) - radius; }
};
struct RingDistance {
  float middle, half_width;
  float operator()(float x, float y) const {
    return std::abs(std::sqrt(x * x + y * y) - middle) - half_width;
  }
};
struct SquareDistance {
  float half_side;
  float operator()(float x, float y) const {
    return std::max(std::abs(x), std::abs(y)) - half_side;
  }
};
struct TriangleDistance {  // equilateral, a corner on top
  float inner_radius;
  float operator()(float x, float y) const {
    return std::max(y, 0.8660254f * std::abs(x) - 0.5f * y) - inner_radius;
  }
};
struct CrossDistance {
  float half_length, half_width;
  float operator()(float x, float y) const {
    const float a = std::abs(x), b = std::abs(y);
    return std::max(std::max(a, b) - half_length, std::min(a, b) - half_width);
  }
};
struct StarDistance {  // five points, one on top; mirrored into a tenth, where the edge is one line
  float radius, edge_x, edge_y;  // the edge's unit direction, from the tip inwards
  float operator()(float x, float y) const {
    constexpr float kCos = 0.809017f, kSin = 0.5877853f;
    float u = std::abs(x), v = -y;
    const float a = 2 * std::max(kCos * u - kSin * v, 0.0f);
    u -= a * kCos;
    v += a * kSin;
    const float b = 2 * std::max(-kCos * u - kSin * v, 0.0f);
    u += b * kCos;
    v += b * kSin;
    u = std::abs(u);
    return (v - radius) * edge_x - u * edge_y;
  }
};

StarDistance star_distance(float radius) {
  constexpr double kInner = 0.44;
  const double x = kInner * 0.5877852522924731, y = kInner * 0.8090169943749475 - 1;
  const double length = std::sqrt(x * x + y * y);
  return {radius, static_cast<float>(x / length), static_cast<float>(y / length)};
}

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
  }
}

// A smooth random field of -5 to 5 levels over the picture: what makes the background a surface.
// Its knots are 28 pixels of 336 apart; in between it is bilinear, in integers.
std::vector<std::uint8_t> textured(std::array<std::uint8_t, 3> rgb, std::int64_t side,
                                   Random random) {
  constexpr std::int64_t kKnots = 13, kOne = 256;
  std::array<std::array<std::int64_t, kKnots>, kKnots> knots;
  for (auto& row : knots) {
    for (std::int64_t& knot : row) knot = random.integer(-5, 5);
  }
  const auto at = [&](std::int64_t row, std::int64_t column) {
    return knots[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)];
  };
  const auto position = [&](std::int64_t pixel) {
    return (2 * pixel + 1) * (kKnots - 1) * kOne / (2 * side);
  };
  std::vector<std::uint8_t> canvas(static_cast<std::size_t>(side * side * 3));
  std::uint8_t* pixel = canvas.data();
  for (std::int64_t row = 0; row < side; ++row) {
    const std::int64_t y = position(row) / kOne, dy = position(row) % kOne;
    for (std::int64_t column = 0; column < side; ++column, pixel += 3) {
      const std::int64_t x = position(column) / kOne, dx = position(column) % kOne;
      const std::int64_t above = at(y, x) * (kOne - dx) + at(y, x + 1) * dx;
      const std::int64_t below = at(y + 1, x) * (kOne - dx) + at(y + 1, x + 1) * dx;
      const std::int64_t offset = (above * (kOne - dy) + below * dy + kOne * kOne / 2) >> 16;
      for (std::size_t i = 0; i < 3; ++i) {
        pixel[i] = static_cast<std::uint8_t>(std::clamp<std::int64_t>(rgb[i] + offset, 0, 255));
      }
    }
  }
  return canvas;
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
  }
  return canvas;
}

void Renderer::render(double seconds, std::span<std::uint8_t> rgb) {
  const SceneState state = state_at(clip_, seconds);
  const std::vector<std::uint8_t>& background = canvas(state.background);
  check(rgb.size() == background.size(), "the picture's buffer is [side, side, 3]");
  std::copy(background.begin(), background.end(), rgb.begin());
  for (const Sprite& sprite : state.sprites) draw({rgb, side_}, sprite);
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
