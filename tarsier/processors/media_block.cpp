#include "tarsier/processors/media_block.h"

#include <ATen/ATen.h>

namespace tarsier {

std::int64_t MediaBlock::tokens() const {
  std::int64_t all = 0;
  for (const MediaRun& run : runs) all += run.tokens;
  return all;
}

MediaBlock picture_block(Modality modality, const PatchGrid& grid, std::int64_t merge_size,
                         bool frame_markers) {
  MediaBlock block{modality, {}};
  if (!frame_markers || modality != Modality::video) {
    block.runs.push_back({modality, grid.media_tokens(merge_size), grid, 0, {}});
    return block;
  }
  const PatchGrid frame{1, grid.height, grid.width};
  for (std::int64_t i = 1; i <= grid.time; ++i) {
    block.runs.push_back({modality, frame.media_tokens(merge_size), frame, 0, std::to_string(i)});
  }
  return block;
}

PositionRule counting_rule() {
  return [](std::int64_t tokens, std::span<const PlacedRun>) {
    return PromptPositions{at::arange(tokens, at::kLong).unsqueeze(0), tokens};
  };
}

}  // namespace tarsier
