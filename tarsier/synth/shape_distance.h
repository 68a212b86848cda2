#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

namespace tarsier {

// Sine and cosine of a whole turn's share by a polynomial: libm's last bit differs between
// machines.
inline std::pair<double, double> sine_cosine(double turns) {
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

inline StarDistance star_distance(float radius) {
  constexpr double kInner = 0.44;
  const double x = kInner * 0.5877852522924731, y = kInner * 0.8090169943749475 - 1;
  const double length = std::sqrt(x * x + y * y);
  return {radius, static_cast<float>(x / length), static_cast<float>(y / length)};
}

struct FigureDistance {  // a head and five strokes
  struct Stroke {
    float x, y, dx, dy, inverse_square;  // from (x, y) along (dx, dy); 1 over its squared length
  };
  std::array<Stroke, 5> strokes;  // body, arms, legs
  float head_y, head_radius, half_width;
  float operator()(float x, float y) const {
    float square = 1e30f;  // to the nearest stroke's middle
    for (const Stroke& stroke : strokes) {
      const float a = x - stroke.x, b = y - stroke.y;
      const float t =
          std::clamp((a * stroke.dx + b * stroke.dy) * stroke.inverse_square, 0.0f, 1.0f);
      const float u = a - t * stroke.dx, v = b - t * stroke.dy;
      square = std::min(square, u * u + v * v);
    }
    const float h = y - head_y;
    return std::min(std::sqrt(square) - half_width, std::sqrt(x * x + h * h) - head_radius);
  }
};

/// `stride` and `wave` as in Sprite.
inline FigureDistance figure_distance(float radius, double stride, double wave) {
  const auto stroke = [&](double x, double y, double to_x, double to_y) {
    const double dx = to_x - x, dy = to_y - y;
    const auto r = static_cast<double>(radius);
    return FigureDistance::Stroke{static_cast<float>(x * r), static_cast<float>(y * r),
                                  static_cast<float>(dx * r), static_cast<float>(dy * r),
                                  static_cast<float>(1 / ((dx * dx + dy * dy) * r * r))};
  };
  const double foot = stride == 0 ? 0.32 : 0.45 * stride;
  const double hand_x = wave == 0 ? 0.45 : 0.4 + 0.25 * (wave - 2),
               hand_y = wave == 0 ? 0.15 : -0.8;
  return {{stroke(0, -0.4, 0, 0.2), stroke(0, -0.25, -0.45, 0.15), stroke(0, -0.25, hand_x, hand_y),
           stroke(0, 0.2, foot, 0.88), stroke(0, 0.2, -foot, 0.88)},
          -0.66f * radius,
          0.28f * radius,
          0.11f * radius};
}

}  // namespace tarsier
