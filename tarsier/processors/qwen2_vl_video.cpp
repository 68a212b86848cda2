#include "tarsier/processors/qwen2_vl_video.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/processors/smart_resize.h"

namespace tarsier {
namespace {

Size size_of(const Frame& frame) { return {frame.height, frame.width}; }

// qwen-vl-utils 0.0.14: VIDEO_MIN_PIXELS, VIDEO_MAX_PIXELS and the share of a 128k context that
// videos may fill, counted in tokens of factor x factor pixels.
constexpr double kMinTokens = 128;
constexpr double kMaxTokens = 768;
constexpr double kSlack = 1.05;  // the largest frame is at least this much above the smallest
constexpr double kTotalTokens = 128000 * 0.9;
constexpr double kFramesPerSlice = 2;

Size qwen_vl_utils_size(Size source, std::int64_t frames, std::int64_t factor,
                        std::int64_t max_pixels) {
  const auto token_pixels = static_cast<double>(factor * factor);
  const double least = kMinTokens * token_pixels;
  const double share = kTotalTokens * token_pixels / static_cast<double>(frames) * kFramesPerSlice;
  const double most =
      std::max(std::min({kMaxTokens * token_pixels, share, static_cast<double>(max_pixels)}),
               std::floor(least * kSlack));
  return fit_to_fractional_budget(source, factor, least, most, ResizeGuard::one_factor);
}

/// torchvision's resize of a u8 clip: bicubic with antialiasing. Its first interface computes in
/// f32, clamps and rounds half to even; its second has a kernel for bytes.
std::vector<Frame> resize_as_torchvision(std::span<const Frame> frames, Size size, bool on_bytes) {
  std::vector<Frame> resized(frames.size());
  at::parallel_for(
      0, static_cast<std::int64_t>(frames.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
          const Frame& frame = frames[i];
          const Tensor bytes = at::from_blob(const_cast<std::uint8_t*>(frame.rgb.data()),
                                             {1, frame.height, frame.width, 3}, at::kByte)
                                   .permute({0, 3, 1, 2});
          const Tensor planes = on_bytes ? bytes : bytes.to(at::kFloat);
          Tensor scaled = at::_upsample_bicubic2d_aa(planes.contiguous(), {size.height, size.width},
                                                     /*align_corners=*/false);
          if (!on_bytes) scaled = scaled.clamp(0, 255).round().to(at::kByte);
          const Tensor rows = scaled.permute({0, 2, 3, 1}).contiguous();
          const auto* data = rows.const_data_ptr<std::uint8_t>();
          resized[i] = {
              frame.index, frame.seconds, size.height, size.width, {data, data + rows.numel()}};
        }
      });
  return resized;
}

}  // namespace

PatchedMedia patch_image(const Frame& image, const Qwen2VlVideoConfig& config) {
  const Size size = fit_to_pixel_budget(size_of(image), config.factor(), config.image.min_pixels,
                                        config.image.max_pixels);
  return patch_frames({&image, 1}, {size}, config.temporal_patch_size, config);
}

Size qwen2_vl_frame_size(Size source, std::int64_t frames, const Qwen2VlVideoConfig& config,
                         VideoSizing sizing) {
  check(frames > 0, "a video has a frame");
  if (sizing == VideoSizing::qwen_vl_utils)
    return qwen_vl_utils_size(source, frames, config.factor(), config.video.max_pixels);
  return fit_to_pixel_budget(source, config.factor(), config.video.min_pixels,
                             config.video.max_pixels);
}

PatchedMedia patch_qwen2_vl_video(std::span<const Frame> frames, const Qwen2VlVideoConfig& config,
                                  VideoSizing sizing) {
  check(!frames.empty(), "a video has a frame");
  const Size source = size_of(frames[0]);
  const Size size =
      qwen2_vl_frame_size(source, static_cast<std::int64_t>(frames.size()), config, sizing);
  if (sizing == VideoSizing::qwen_vl_utils && size != source) {
    return patch_frames(resize_as_torchvision(frames, size, /*on_bytes=*/false), {size}, 1, config);
  }
  return patch_frames(frames, {size}, 1, config);
}

std::int64_t qwen_vl_utils_min_pixels(std::int64_t factor) {
  return static_cast<std::int64_t>(kMinTokens * static_cast<double>(factor * factor) * kSlack);
}

PatchedMedia patch_resized_bytes(std::span<const Frame> frames, Size size,
                                 const Qwen2VlVideoConfig& config) {
  check(!frames.empty(), "a video has a frame");
  if (size_of(frames[0]) == size) return patch_frames(frames, {size}, 1, config);
  return patch_frames(resize_as_torchvision(frames, size, /*on_bytes=*/true), {size}, 1, config);
}

PixelBudget tarsier2_frame_budget(std::int64_t counted, const Qwen2VlVideoConfig& config) {
  const Tarsier2Pipeline& pipeline = config.tarsier2;
  std::int64_t cap = pipeline.frame.max_pixels;
  if (counted > 0) cap = std::min(cap, pipeline.sample_pixels / counted);
  if (cap < 1) {
    throw InputError(
        {"request", "holds more pictures than one sample has pixels for", "ask for fewer frames"});
  }
  return {std::min(pipeline.frame.min_pixels, cap), cap};
}

ResizeSteps tarsier2_resize_steps(Size source, PixelBudget budget,
                                  const Qwen2VlVideoConfig& config) {
  const Size inside = fit_to_pixel_budget(source, 1, budget.min_pixels, budget.max_pixels);
  return {inside, fit_to_pixel_budget(inside, config.factor(), config.image.min_pixels,
                                      config.image.max_pixels)};
}

PatchedMedia patch_tarsier2_video(std::span<const Frame> frames, PixelBudget budget,
                                  const Qwen2VlVideoConfig& config) {
  check(!frames.empty(), "a video has a frame");
  return patch_frames(frames, tarsier2_resize_steps(size_of(frames[0]), budget, config), 2, config);
}

PatchedMedia patch_tarsier2_image(const Frame& image, PixelBudget budget,
                                  const Qwen2VlVideoConfig& config) {
  return patch_frames({&image, 1}, tarsier2_resize_steps(size_of(image), budget, config),
                      config.temporal_patch_size, config);
}

}  // namespace tarsier
