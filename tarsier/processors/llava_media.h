#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/processors/anyres.h"
#include "tarsier/processors/media_preparation.h"
#include "tarsier/processors/square_frames.h"

namespace tarsier {

/// What LLaVA's families with square frames take, in words and numbers: LLaVA-OneVision's videos
/// and image, and video-SALMONN 2's videos and sounds
/// (models-video-salmonn-2.md 2.3, 2.5, 2.6, 3.1, 3.3).
struct LlavaMediaConfig {
  const char* family = "";  // for messages
  SquareImageConfig square;
  std::int64_t grid_side = 27;         // patches along a side of a frame
  std::int64_t tokens_per_frame = 0;   // of pictures
  std::int64_t closing_tokens = 0;     // behind the last frame of a video
  std::int64_t fewest_frames = 1;      // of a video
  std::int64_t most_media = 0;         // in one conversation; 0: no limit
  std::int64_t tokens_per_chunk = 0;   // of 30 s of sound; 0: the model does not hear
  std::int64_t most_chunks = 0;        // of one sound
  double sound_alone_seconds = 0;      // a sound without a picture is heard up to here
  std::optional<AnyresConfig> anyres;  // how an image is cut; unset: images are not taken
  /// The ids of words behind the frames of silent videos. Unset: there are none.
  std::function<std::vector<std::int64_t>(const std::string& words)> time_ids;
};

/// Sizes and token counts of every video and sound, in order of appearance, without touching a
/// pixel or a sample. InputError for what the family does not take, naming it.
std::vector<SeenMedia> plan_llava_media(const Conversation& conversation,
                                        const LlavaMediaConfig& config);

/// The same with the numbers: pixels f32 [frames and squares of all media, 3, side, side], mel f32
/// [chunks of all media, 128, 3000], a row of `grid` and a layout for each. A sound under 1 s is
/// filled up to it before it is cut to its video's length, as upstream.
PreparedMedia prepare_llava_media(const Conversation& conversation, const LlavaMediaConfig& config);

}  // namespace tarsier
