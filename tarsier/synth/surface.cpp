#include "tarsier/synth/surface.h"

#include <algorithm>
#include <cmath>

namespace tarsier {

std::vector<std::uint8_t> textured(std::array<std::uint8_t, 3> rgb, std::int64_t side,
                                   Random random) {
  constexpr std::int32_t kKnots = 13, kOne = 256;
  std::array<std::array<std::int32_t, kKnots>, kKnots> knots;
  for (auto& row : knots) {
    for (std::int32_t& knot : row) knot = static_cast<std::int32_t>(random.integer(-5, 5));
  }
  // Where each row or column lies between its knots: a knot, and 256ths of the way to the next.
  std::vector<std::array<std::int32_t, 2>> places(static_cast<std::size_t>(side));
  for (std::int64_t pixel = 0; pixel < side; ++pixel) {
    const auto position =
        static_cast<std::int32_t>((2 * pixel + 1) * (kKnots - 1) * kOne / (2 * side));
    places[static_cast<std::size_t>(pixel)] = {position / kOne, position % kOne};
  }
  std::vector<std::uint8_t> canvas(static_cast<std::size_t>(side * side * 3));
  std::uint8_t* pixel = canvas.data();
  std::array<std::int32_t, kKnots> line;  // the row's own knots, 256 times
  for (const auto& [y, dy] : places) {
    const auto row = static_cast<std::size_t>(y);
    for (std::size_t x = 0; x < line.size(); ++x)
      line[x] = knots[row][x] * (kOne - dy) + knots[row + 1][x] * dy;
    for (const auto& [x, dx] : places) {
      const auto column = static_cast<std::size_t>(x);
      const std::int32_t sum = line[column] * (kOne - dx) + line[column + 1] * dx;
      const std::int32_t offset = (sum + kOne * kOne / 2) >> 16;
      for (std::size_t i = 0; i < 3; ++i)
        pixel[i] = static_cast<std::uint8_t>(std::clamp(rgb[i] + offset, 0, 255));
      pixel += 3;
    }
  }
  return canvas;
}

void draw_ground(std::vector<std::uint8_t>& canvas, std::int64_t side, int horizon) {
  constexpr std::uint8_t kDark = 64;
  const std::int64_t first = horizon * side / static_cast<std::int64_t>(kPictureSide);
  const auto begin = canvas.begin() + first * side * 3;
  const bool dark = std::all_of(canvas.begin(), canvas.begin() + 3,
                                [](std::uint8_t value) { return value < kDark; });
  std::transform(begin, canvas.end(), begin, [&](std::uint8_t value) {
    return static_cast<std::uint8_t>(dark ? value + 16 : value - value / 6);
  });
}

void draw_seen_from(const std::vector<std::uint8_t>& canvas, std::int64_t side, const View& view,
                    std::span<std::uint8_t> rgb) {
  const double scale = static_cast<double>(side) / kPictureSide,
               middle = static_cast<double>(side) / 2;
  const auto sources = [&](double shift) {  // the surface's pixel for each of the picture's
    std::vector<std::size_t> pixels(static_cast<std::size_t>(side));
    for (std::int64_t i = 0; i < side; ++i) {
      const double at =
          (static_cast<double>(i) + 0.5 - middle - shift * scale) / view.zoom + middle;
      pixels[static_cast<std::size_t>(i)] = static_cast<std::size_t>(
          std::clamp(static_cast<std::int64_t>(std::floor(at)), std::int64_t{0}, side - 1));
    }
    return pixels;
  };
  const std::vector<std::size_t> columns = sources(view.x);
  std::uint8_t* pixel = rgb.data();
  for (const std::size_t row : sources(view.y)) {
    const std::uint8_t* line = canvas.data() + row * static_cast<std::size_t>(side) * 3;
    for (const std::size_t column : columns) {
      std::copy_n(line + column * 3, 3, pixel);
      pixel += 3;
    }
  }
}

}  // namespace tarsier
