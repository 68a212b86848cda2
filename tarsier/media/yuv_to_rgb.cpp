#include "tarsier/media/yuv_to_rgb.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tarsier {
namespace {

constexpr int kBits = 16;

/// What each value of a sample adds to each channel, in 16-bit fixed point.
struct Tables {
  std::array<std::int32_t, 256> luma;  // the rounding half included
  std::array<std::int32_t, 256> red_of_v, green_of_u, green_of_v, blue_of_u;
};

Tables make_tables(const YuvColour& colour) {
  const double green_weight = 1 - colour.red_weight - colour.blue_weight;
  const double luma_scale = colour.full_range ? 1 : 255.0 / 219;
  const double chroma_scale = colour.full_range ? 1 : 255.0 / 224;
  const int black = colour.full_range ? 0 : 16;
  const double red = 2 * (1 - colour.red_weight) * chroma_scale;
  const double blue = 2 * (1 - colour.blue_weight) * chroma_scale;
  const auto fixed = [](double value) {
    return static_cast<std::int32_t>(std::llround(value * (1 << kBits)));
  };
  Tables tables{};
  for (int i = 0; i < 256; ++i) {
    const auto at = static_cast<std::size_t>(i);
    tables.luma[at] = fixed((i - black) * luma_scale) + (1 << (kBits - 1));
    tables.red_of_v[at] = fixed((i - 128) * red);
    tables.blue_of_u[at] = fixed((i - 128) * blue);
    tables.green_of_v[at] = fixed(-(i - 128) * red * colour.red_weight / green_weight);
    tables.green_of_u[at] = fixed(-(i - 128) * blue * colour.blue_weight / green_weight);
  }
  return tables;
}

std::uint8_t to_byte(std::int32_t value) {
  return static_cast<std::uint8_t>(std::clamp(value >> kBits, 0, 255));
}

}  // namespace

void yuv_to_rgb(const YuvPlanes& planes, Size size, const YuvColour& colour, std::uint8_t* rgb) {
  const Tables tables = make_tables(colour);
  const std::int64_t run = std::int64_t{1}
                           << planes.chroma_shift_x;  // pixels that share a chroma sample
  for (std::int64_t row = 0; row < size.height; ++row) {
    const std::uint8_t* y = planes.y + row * planes.y_stride;
    const std::uint8_t* u = planes.u + (row >> planes.chroma_shift_y) * planes.u_stride;
    const std::uint8_t* v = planes.v + (row >> planes.chroma_shift_y) * planes.v_stride;
    for (std::int64_t x = 0; x < size.width; x += run, ++u, ++v) {
      const std::int32_t red = tables.red_of_v[*v];
      const std::int32_t green = tables.green_of_u[*u] + tables.green_of_v[*v];
      const std::int32_t blue = tables.blue_of_u[*u];
      const std::int64_t end = std::min(x + run, size.width);
      for (std::int64_t i = x; i < end; ++i, rgb += 3) {
        const std::int32_t luma = tables.luma[y[i]];
        rgb[0] = to_byte(luma + red);
        rgb[1] = to_byte(luma + green);
        rgb[2] = to_byte(luma + blue);
      }
    }
  }
}

}  // namespace tarsier
