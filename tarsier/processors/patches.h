#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "tarsier/media/frame.h"
#include "tarsier/processors/patch_grid.h"
#include "tarsier/processors/qwen2_vl_config.h"
#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// One image or video as the vision tower takes it.
struct PatchedMedia {
  Tensor pixels;  // f32 [grid.patches(), 3 * temporal_patch_size * patch_size * patch_size]
  PatchGrid grid;
  Size resized;  // of every frame
};

/// (value / 255 - mean) / deviation of every byte value, for each colour: f32, as the image
/// processor computes it.
using NormalisedValues = std::array<std::array<float, 256>, 3>;
NormalisedValues normalised_values(const std::array<double, 3>& mean,
                                   const std::array<double, 3>& deviation);

/// The sizes a frame goes through, in order; the last is a multiple of config.factor(). A step to
/// the same size is a copy, so it costs nothing.
using ResizeSteps = std::vector<Size>;

/// Resizes (Pillow's bicubic), normalises and cuts frames of one size into patches, every frame
/// once however often it is shown. `repeats` writes each frame that many times in a row; the last
/// one is repeated until temporal slices are full. Rows and columns are ordered as
/// models-tarsier.md 3.2 has it. Runs over slices in parallel.
PatchedMedia patch_frames(std::span<const Frame> frames, const ResizeSteps& steps,
                          std::int64_t repeats, const Qwen2VlVideoConfig& config);

}  // namespace tarsier
