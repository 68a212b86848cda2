#include "tarsier/processors/smart_resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

constexpr double kMaxAspectRatio = 200;

double real(std::int64_t value) { return static_cast<double>(value); }

std::int64_t times_factor(double count, std::int64_t factor) {
  return static_cast<std::int64_t>(count) * factor;
}

std::string text_of(Size size) { return fmt::format("{}x{}", size.width, size.height); }

}  // namespace

Size fit_to_pixel_budget(Size size, std::int64_t factor, std::int64_t min_pixels,
                         std::int64_t max_pixels, ResizeGuard guard) {
  return fit_to_fractional_budget(size, factor, real(min_pixels), real(max_pixels), guard);
}

Size fit_to_fractional_budget(Size size, std::int64_t factor, double min_pixels, double max_pixels,
                              ResizeGuard guard) {
  check(factor > 0 && min_pixels >= 0 && max_pixels > 0, "a pixel budget is positive");
  if (size.height <= 0 || size.width <= 0) {
    throw InputError({"picture", fmt::format("is {} pixels", text_of(size)),
                      "pass a picture that holds something"});
  }
  const double height = real(size.height);
  const double width = real(size.width);
  if (std::max(height, width) / std::min(height, width) > kMaxAspectRatio) {
    throw InputError({"picture",
                      fmt::format("is {} pixels, one side over {:.0f} times the other",
                                  text_of(size), kMaxAspectRatio),
                      "crop it to a less extreme shape"});
  }
  // nearbyint rounds halves to even, as Python's round does; std::round would not.
  Size fitted{times_factor(std::nearbyint(height / real(factor)), factor),
              times_factor(std::nearbyint(width / real(factor)), factor)};
  if (guard == ResizeGuard::one_factor) {
    fitted = {std::max(fitted.height, factor), std::max(fitted.width, factor)};
  }
  const double area = real(fitted.height) * real(fitted.width);
  // Both branches scale the original sides, not the rounded ones.
  if (area > max_pixels) {
    const double shrink = std::sqrt(height * width / max_pixels);
    fitted = {std::max(factor, times_factor(std::floor(height / shrink / real(factor)), factor)),
              std::max(factor, times_factor(std::floor(width / shrink / real(factor)), factor))};
  } else if (area < min_pixels) {
    const double grow = std::sqrt(min_pixels / (height * width));
    fitted = {times_factor(std::ceil(height * grow / real(factor)), factor),
              times_factor(std::ceil(width * grow / real(factor)), factor)};
  }
  if (fitted.height == 0 || fitted.width == 0) {
    throw InputError(
        {"picture", fmt::format("is {} pixels, too thin for patches of {}", text_of(size), factor),
         "pass a larger picture"});
  }
  return fitted;
}

}  // namespace tarsier
