#pragma once

#include <cstdint>
#include <span>

#include "tarsier/processors/media_block.h"
#include "tarsier/processors/model_inputs.h"
#include "tarsier/processors/patch_grid.h"

namespace tarsier {

/// Where text goes on behind an image or video.
enum class PositionsAfterMedia {
  longest_axis,   // past the largest position of all three axes: the paper, and transformers before
                  // 5
  picture_sides,  // past the larger of height and width, though time may reach further:
                  // transformers 5 and newer
};

/// Qwen2-VL's rope index of one unpadded sequence (models-tarsier.md 3.6): text counts up on all
/// three axes, a span's tokens lie on its grid from the next free position on, and text goes on
/// as `after` says. One grid a span, in patches; a span's length is
/// grid.media_tokens(merge_size).
PromptPositions mrope_positions(std::int64_t tokens, std::span<const MediaSpan> spans,
                                std::span<const PatchGrid> grids, std::int64_t merge_size,
                                PositionsAfterMedia after = PositionsAfterMedia::longest_axis);

/// The same as a rule: every run lies on its grid, whichever block it is of.
PositionRule mrope_rule(std::int64_t merge_size, PositionsAfterMedia after);

}  // namespace tarsier
