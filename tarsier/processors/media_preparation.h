#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tarsier/processors/conversation.h"
#include "tarsier/processors/grid_rows.h"
#include "tarsier/processors/media_block.h"
#include "tarsier/processors/model_inputs.h"
#include "tarsier/processors/qwen2_vl_video.h"

namespace tarsier {

/// What the model saw of one image or video, or heard of sound (then the sizes are zeros).
struct SeenMedia {
  Modality modality = Modality::video;
  std::int64_t frames = 0;      // chosen ones; each once
  Size source, resized;         // pixels of a frame
  PatchGrid grid;               // of all frames
  std::int64_t tokens = 0;      // media tokens in the prompt
  MediaBlock block;             // the prompt's
  std::int64_t mel_chunks = 0;  // of 30 s of sound; 0: nothing is heard
};

/// How many of its media tokens are sound.
std::int64_t sound_tokens(const SeenMedia& seen);

/// The media of a whole conversation, in order of appearance.
struct PreparedMedia {
  MediaInputs inputs;
  std::vector<SeenMedia> seen;  // grids of images and videos are the rows of inputs.grid
};

/// Every image, video and sound of a conversation, in order of appearance.
std::vector<const Pictures*> media_of(const Conversation& conversation);
/// The same of families that do not listen: images and videos. InputError for sound alone,
/// which only families that listen take.
std::vector<const Pictures*> pictures_of(const Conversation& conversation);

/// The report of pictures shown as `shown` frames of size `resized`, one run of tokens.
SeenMedia seen_pictures(const Pictures& pictures, Size resized, std::int64_t shown,
                        const Qwen2VlVideoConfig& config);

/// Turns the pictures of one image or video into patches.
using PatchPictures = std::function<PatchedMedia(const Pictures&)>;
/// Pixels and grid of all pictures, in order; `plan` has one entry for each of them.
MediaInputs patch_all(const std::vector<const Pictures*>& all, const std::vector<SeenMedia>& plan,
                      const PatchPictures& patch);

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
