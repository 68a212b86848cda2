#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tarsier/processors/conversation.h"
#include "tarsier/processors/patch_grid.h"
#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// Media tokens that stand together in the prompt, and the words behind them.
struct MediaRun {
  Modality modality = Modality::video;  // whose tokens these are; decides the placeholder
  std::int64_t tokens = 0;
  PatchGrid grid;           // of pictures, in patches; zeros for sound
  std::int64_t step = 0;    // of the first token on the time axis, counted from its block's
                            // beginning, for families whose positions follow time
  std::string words_after;  // as text, never as special tokens; usually empty
};

/// What stands in the prompt for one image, video or sound.
struct MediaBlock {
  Modality modality = Modality::video;  // of the part of the message
  std::vector<MediaRun> runs;

  std::int64_t tokens() const;  // of all runs; the words between are not counted
};

/// One run of the Qwen2-VL kind: a token for each merge_size x merge_size patches. With
/// `frame_markers` a video has a run for each frame, followed by the frame's number from 1.
MediaBlock picture_block(Modality modality, const PatchGrid& grid, std::int64_t merge_size,
                         bool frame_markers = false);

/// A run and where it stands.
struct PlacedRun {
  std::int64_t begin = 0;  // token of the prompt
  std::size_t block = 0;   // of the prompt's blocks, in order of appearance
  MediaRun run;
};

struct PromptPositions {
  Tensor positions;  // i64 [axes, tokens]; three axes are time, height, width
  std::int64_t next_position =
      0;  // of the first generated token, on every axis; rope_delta + tokens
};

/// A family's way to number the tokens of one unpadded sequence.
using PositionRule =
    std::function<PromptPositions(std::int64_t tokens, std::span<const PlacedRun> runs)>;

/// 0, 1, 2, ... on one axis, media or not.
PositionRule counting_rule();

}  // namespace tarsier
