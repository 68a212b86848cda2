#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/processors/media_block.h"
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

/// The token behind the last span: from there on a prompt is text.
inline std::int64_t end_of_media(const Prompt& prompt) {
  return prompt.spans.empty() ? 0 : prompt.spans.back().begin + prompt.spans.back().length;
}

/// What `encode` must know of one image, video or sound beside its numbers.
struct MediumLayout {
  Modality modality = Modality::video;
  std::int64_t frames = 0;      // of `pixels`, in families whose rows are frames or squares
  std::int64_t mel_chunks = 0;  // of `mel`
  double seconds = 0;           // as Pictures::seconds
  std::vector<MediaRun> runs;   // of the prompt: which tokens are pictures, which are sound
  Size source = {};             // pixels of a frame, before any resize
  /// Ids embedded behind each frame; mostly none.
  std::vector<std::vector<std::int64_t>> frame_words = {};
};

struct MediaInputs {
  Tensor pixels;  // f32 [patches, channels * temporal_patch * patch * patch]; undefined when there
                  // is no picture
  Tensor grid;    // i64 [media, 3]: patches in time, height, width, in order of appearance
  Tensor mel;     // f32 [chunks, mel_bins, mel_frames], 30 s each; undefined when nothing is heard
  std::vector<MediumLayout> layout;  // in order of appearance; of families that listen

  bool empty() const { return !pixels.defined() && !mel.defined(); }
};

struct ModelInputs {
  Prompt prompt;
  MediaInputs media;
};

}  // namespace tarsier
