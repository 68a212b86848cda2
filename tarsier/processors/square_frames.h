#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>

#include "tarsier/processors/media_preparation.h"
#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// How pictures become squares of one size, whatever their shape.
struct SquareImageConfig {
  std::int64_t side = 336;  // pixels
  /// First to a square of the longer side, then to `side`: two resizes, as Tarsier's own step
  /// before CLIP's image processor (models-tarsier.md 4.3). Else one resize.
  bool by_longer_side = true;
  std::array<double, 3> mean{0.48145466, 0.4578275, 0.40821073};
  std::array<double, 3> deviation{0.26862954, 0.26130258, 0.27577711};
};

/// Reads the preprocessor_config.json of a CLIP image processor. CheckpointError names file and
/// key, also for a step this family never does (no resize, other resampling, an oblong crop).
SquareImageConfig read_clip_image_config(const std::filesystem::path& model_directory);

/// Stretches every frame to the square (Pillow's bicubic; nothing is padded or cut off) and
/// normalises it: f32 [frames, 3, side, side]. Frames of one size. Runs over frames in parallel.
Tensor square_frames(std::span<const Frame> frames, const SquareImageConfig& config);

/// What a family of square frames sees of every image and video: `grid_side` x `grid_side` patches
/// a frame, of which `tokens_per_frame` media tokens are made.
std::vector<SeenMedia> plan_square_media(const Conversation& conversation, std::int64_t side,
                                         std::int64_t grid_side, std::int64_t tokens_per_frame);

/// The same with the pixels, f32 [frames of all media, 3, side, side].
PreparedMedia prepare_square_media(const Conversation& conversation,
                                   const SquareImageConfig& config, std::int64_t grid_side,
                                   std::int64_t tokens_per_frame);

}  // namespace tarsier
