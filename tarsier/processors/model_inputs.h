#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/processors/conversation.h"
#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// A run of prompt positions that `encode` fills. In order of appearance the spans' lengths add up
/// to the media tokens.
struct MediaSpan {
  Modality modality;
  std::int64_t begin, length;
};

/// One sequence of token ids with its positions. Plain data.
struct Prompt {
  std::vector<std::int64_t> tokens;  // [tokens], placeholders included
  std::vector<MediaSpan> spans;      // ascending, disjoint
  Tensor positions;                  // i64 [3, tokens] for time, height, width, or [1, tokens]
  std::int64_t next_position = 0;    // of the first generated token, on every axis
  std::vector<std::uint8_t>
      is_target;  // [tokens], 1 where training predicts this token; empty when not training
};

struct MediaInputs {
  Tensor pixels;  // f32 [patches, channels * temporal_patch * patch * patch]; undefined when there
                  // is no picture
  Tensor grid;    // i64 [media, 3]: patches in time, height, width, in order of appearance
};

struct ModelInputs {
  Prompt prompt;
  MediaInputs media;
};

}  // namespace tarsier
