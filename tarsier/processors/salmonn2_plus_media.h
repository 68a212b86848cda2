#pragma once

#include <filesystem>

#include "tarsier/processors/frame_selection.h"
#include "tarsier/processors/media_preparation.h"
#include "tarsier/processors/timed_blocks.h"

namespace tarsier {

/// What video-SALMONN 2+ keeps in command-line flags instead of the checkpoint. The defaults are
/// the recipe of its README (models-video-salmonn-2.md 3.2); processor_config.json may say
/// otherwise under "salmonn2_plus" (docs/data-formats.md).
struct Salmonn2PlusSettings {
  double frame_interval = 0.1;  // seconds between frames
  std::int64_t min_frames = 64, max_frames = 768;
  PixelBudget frame{784, 61'250};  // the largest when max_frames are shown; fewer may be larger
  SoundGrouping grouping = SoundGrouping::by_time;
  bool upstream_positions = false;  // as upstream's generate() computes them, not as trained
};

/// Reads a model directory's processor_config.json, if there. CheckpointError names the key.
Salmonn2PlusSettings read_salmonn2_plus_settings(const std::filesystem::path& model_directory);

SamplingRule salmonn2_plus_sampling(const Salmonn2PlusSettings& settings);

/// All that decides how media become inputs.
struct Salmonn2PlusMedia {
  Qwen2VlVideoConfig pictures;  // patches, colours, and the limits of an image
  Salmonn2PlusSettings settings;
  std::int64_t tokens_per_chunk = 60;  // of 30 s of sound; 0: the model does not hear
};

/// The size of each of `frames` frames of a video: the pixels of max_frames frames are shared by
/// those there are, but for 5 % (models-video-salmonn-2.md 3.2). InputError for a picture that
/// cannot be resized.
Size salmonn2_plus_frame_size(Size source, std::int64_t frames, const Salmonn2PlusMedia& rule);

/// Images, videos with or without sound, and sound alone. A chunk of sound is 30 s, the last one
/// filled up with silence; a video of unknown length has its sound spread over it. InputError for
/// sound alone when the model does not hear; a video's sound is then passed over.
std::vector<SeenMedia> plan_salmonn2_plus_media(const Conversation& conversation,
                                                const Salmonn2PlusMedia& rule);
PreparedMedia prepare_salmonn2_plus_media(const Conversation& conversation,
                                          const Salmonn2PlusMedia& rule);

}  // namespace tarsier
