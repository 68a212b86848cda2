#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/processors/conversation.h"
#include "tarsier/processors/media_block.h"
#include "tarsier/processors/model_inputs.h"
#include "tarsier/processors/qwen2_vl_video.h"

namespace tarsier {

/// What the model saw of one image or video.
struct SeenMedia {
  Modality modality = Modality::video;
  std::int64_t frames = 0;      // chosen ones; each once
  Size source, resized;         // pixels of a frame
  PatchGrid grid;               // of all frames
  std::int64_t tokens = 0;      // media tokens in the prompt
  MediaBlock block;             // the prompt's
  std::int64_t mel_chunks = 0;  // of 30 s of sound; 0: nothing is heard
};

/// The pictures of a whole conversation, in order of appearance.
struct PreparedMedia {
  MediaInputs inputs;
  std::vector<SeenMedia> seen;  // one an image or video; their grids are the rows of inputs.grid
};

/// Every image and video of a conversation, in order of appearance. InputError for sound alone: of
/// families that do not hear.
std::vector<const Pictures*> pictures_of(const Conversation& conversation);

/// The grids and report without the pixels: cheap, for plans and for refusing a prompt before any
/// work. InputError for a picture that cannot be resized.
std::vector<SeenMedia> plan_tarsier2_media(const Conversation& conversation,
                                           const Qwen2VlVideoConfig& config);
std::vector<SeenMedia> plan_qwen2_vl_media(const Conversation& conversation,
                                           const Qwen2VlVideoConfig& config,
                                           VideoSizing sizing = VideoSizing::checkpoint);

/// Tarsier2's rule for every image and video; all of them share the sample's pixels.
PreparedMedia prepare_tarsier2_media(const Conversation& conversation,
                                     const Qwen2VlVideoConfig& config);

/// Plain Qwen2-VL's rule; each image and video on its own.
PreparedMedia prepare_qwen2_vl_media(const Conversation& conversation,
                                     const Qwen2VlVideoConfig& config,
                                     VideoSizing sizing = VideoSizing::checkpoint);

}  // namespace tarsier
