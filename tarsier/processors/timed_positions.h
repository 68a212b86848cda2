#pragma once

#include <cstdint>

#include "tarsier/processors/media_block.h"
#include "tarsier/processors/mrope_positions.h"

namespace tarsier {

/// Three-axis positions of Qwen2.5-VL and video-SALMONN 2+, as trained
/// (models-video-salmonn-2.md 2.10 mode A, 2.11): text counts up on all axes; from a block's
/// beginning b on, the token in row y and column x of a picture run lies at (b + step, b + y, b +
/// x), the j-th token of a video's sound at (b + j, b, b + j), and of sound alone at (b + j, b + j,
/// b). Behind a block with sound text goes on past the largest time, behind pictures as `after`
/// says.
PositionRule timed_positions(std::int64_t merge_size, PositionsAfterMedia after);

/// What video-SALMONN 2+'s own generate() computes instead (2.10 mode B): from the next picture
/// token on, as many tokens as a block has of pictures, sound among them or not, lie on its grid
/// with two steps a slice; whatever follows, sound and text alike, counts up.
PositionRule upstream_generate_positions(std::int64_t merge_size);

}  // namespace tarsier
