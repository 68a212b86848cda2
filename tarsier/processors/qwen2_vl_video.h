#pragma once

#include <cstdint>
#include <span>

#include "tarsier/processors/patches.h"

namespace tarsier {

/// A still image, by the image processor's rule: one temporal slice that shows it
/// temporal_patch_size times.
PatchedMedia patch_image(const Frame& image, const Qwen2VlVideoConfig& config);

/// How plain Qwen2-VL sizes the frames of a video (models-tarsier.md 4.6).
enum class VideoSizing {
  checkpoint,  // the checkpoint's own limits for a frame, Pillow's bicubic: transformers' processor
  qwen_vl_utils,  // frames share a budget of total pixels within the checkpoint's largest frame,
                  // torchvision's bicubic in f32: qwen-vl-utils, late 2025
};

/// The size of each of `frames` frames of a video.
Size qwen2_vl_frame_size(Size source, std::int64_t frames, const Qwen2VlVideoConfig& config,
                         VideoSizing sizing);

/// A video by plain Qwen2-VL: neighbouring frames share a temporal slice, an odd last one is
/// repeated.
PatchedMedia patch_qwen2_vl_video(std::span<const Frame> frames, const Qwen2VlVideoConfig& config,
                                  VideoSizing sizing = VideoSizing::checkpoint);

/// The least pixels of a frame by qwen_vl_utils.
std::int64_t qwen_vl_utils_min_pixels(std::int64_t factor);

/// Pictures of one size resized by torchvision's bicubic with antialiasing on bytes, as its CPU
/// kernel rounds; neighbours share a temporal slice, an odd last one is repeated: video-SALMONN 2+
/// (models-video-salmonn-2.md 3.2).
PatchedMedia patch_resized_bytes(std::span<const Frame> frames, Size size,
                                 const Qwen2VlVideoConfig& config);

/// Tarsier2's limit for the first resize of every picture of a sample. `counted` adds up the
/// pictures of the sample: two for each frame of a video, config.tarsier2.frames_per_image for an
/// image (models-tarsier.md 4.5).
PixelBudget tarsier2_frame_budget(std::int64_t counted, const Qwen2VlVideoConfig& config);

/// The two sizes a picture goes through: inside `budget`, then a multiple of the patch.
ResizeSteps tarsier2_resize_steps(Size source, PixelBudget budget,
                                  const Qwen2VlVideoConfig& config);

/// A video by Tarsier2's rule: every frame is shown twice, so a temporal slice holds one still
/// frame.
PatchedMedia patch_tarsier2_video(std::span<const Frame> frames, PixelBudget budget,
                                  const Qwen2VlVideoConfig& config);

/// An image by Tarsier2's rule.
PatchedMedia patch_tarsier2_image(const Frame& image, PixelBudget budget,
                                  const Qwen2VlVideoConfig& config);

}  // namespace tarsier
