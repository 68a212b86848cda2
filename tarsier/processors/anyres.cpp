#include "tarsier/processors/anyres.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

std::int64_t truncated(double value) { return static_cast<std::int64_t>(value); }
double real(std::int64_t value) { return static_cast<double>(value); }

/// The canvas on which most pixels of the image stay, of these the smallest.
Size best_canvas(Size source, const std::vector<Size>& canvases) {
  check(!canvases.empty(), "there is a canvas for an image");
  Size best;
  std::int64_t most = -1, least_waste = 0;
  for (const Size& canvas : canvases) {
    const double scale = std::min(real(canvas.width) / real(source.width),
                                  real(canvas.height) / real(source.height));
    const std::int64_t shown =
        std::min(truncated(real(source.width) * scale) * truncated(real(source.height) * scale),
                 source.width * source.height);
    const std::int64_t waste = canvas.width * canvas.height - shown;
    if (shown < most || (shown == most && waste >= least_waste)) continue;
    best = canvas;
    most = shown;
    least_waste = waste;
  }
  return best;
}

/// The image's size on the canvas: one side fills it, the other is rounded up.
Size scaled_to(Size source, Size canvas) {
  const double wide = real(canvas.width) / real(source.width),
               high = real(canvas.height) / real(source.height);
  if (wide < high) {
    return {std::min(truncated(std::ceil(real(source.height) * wide)), canvas.height),
            canvas.width};
  }
  return {canvas.height, std::min(truncated(std::ceil(real(source.width) * high)), canvas.width)};
}

/// Leaves out the canvas's margin, in whole patches on either side alike.
void leave_margin_out(AnyresPlan& plan, Size source, Size patches) {
  plan.offset = {0, 0};
  plan.kept = patches;
  if (real(source.width) / real(source.height) > real(patches.width) / real(patches.height)) {
    const double scale = real(patches.width) / real(source.width);
    plan.offset.height = (patches.height - truncated(real(source.height) * scale)) / 2;
    plan.kept.height -= 2 * plan.offset.height;
  } else {
    const double scale = real(patches.height) / real(source.height);
    plan.offset.width = (patches.width - truncated(real(source.width) * scale)) / 2;
    plan.kept.width -= 2 * plan.offset.width;
  }
}

}  // namespace

AnyresPlan plan_anyres(Size source, const AnyresConfig& config, std::int64_t side,
                       std::int64_t grid_side) {
  check(source.height > 0 && source.width > 0, "an image has pixels");
  const Size canvas = best_canvas(source, config.canvases);
  AnyresPlan plan;
  plan.rows = canvas.height / side;
  plan.columns = canvas.width / side;
  plan.scaled = scaled_to(source, canvas);
  leave_margin_out(plan, source, {plan.rows * grid_side, plan.columns * grid_side});
  plan.shrunk = plan.kept;
  const double times = std::sqrt(real(plan.kept.height * plan.kept.width) /
                                 real(config.max_tiles * grid_side * grid_side));
  if (times > 1.1) {
    plan.shrunk = {truncated(std::floor(real(plan.kept.height) / times)),
                   truncated(std::floor(real(plan.kept.width) / times))};
  }
  if (plan.shrunk.height < 1 || plan.shrunk.width < 1) {
    throw InputError({"image", fmt::format("{}x{} is too thin", source.width, source.height),
                      "pass one with a less extreme shape"});
  }
  return plan;
}

Tensor anyres_squares(const Frame& image, const AnyresPlan& plan, const SquareImageConfig& config) {
  check(!config.by_longer_side, "an image is stretched to its square at once");
  const std::int64_t side = config.side, width = plan.columns * side;
  const std::vector<std::uint8_t> scaled =
      resize_bicubic(image.rgb, {image.height, image.width}, plan.scaled);
  std::vector<std::uint8_t> canvas(static_cast<std::size_t>(plan.rows * side * width * 3));
  const std::int64_t top = (plan.rows * side - plan.scaled.height) / 2,
                     left = (width - plan.scaled.width) / 2;
  for (std::int64_t y = 0; y < plan.scaled.height; ++y) {
    std::copy_n(scaled.begin() + y * plan.scaled.width * 3, plan.scaled.width * 3,
                canvas.begin() + ((top + y) * width + left) * 3);
  }
  std::vector<Frame> squares{
      {0, 0.0, side, side, resize_bicubic(image.rgb, {image.height, image.width}, {side, side})}};
  for (std::int64_t row = 0; row < plan.rows; ++row) {
    for (std::int64_t column = 0; column < plan.columns; ++column) {
      Frame square{0, 0.0, side, side, {}};
      for (std::int64_t y = 0; y < side; ++y) {
        const auto from = canvas.begin() + ((row * side + y) * width + column * side) * 3;
        square.rgb.insert(square.rgb.end(), from, from + side * 3);
      }
      squares.push_back(std::move(square));
    }
  }
  return square_frames(squares, config);  // of that size already: only normalised
}

}  // namespace tarsier
