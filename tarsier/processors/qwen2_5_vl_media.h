#pragma once

#include "tarsier/processors/media_preparation.h"

namespace tarsier {

// Plain Qwen2.5-VL (models-video-salmonn-2.md 2.11): pictures as qwen-vl-utils sizes them, videos
// with a run of tokens for each temporal slice, whose position follows the clock.

/// `steps_per_second` is vision_config.tokens_per_second. A video of unknown length
/// (Pictures::seconds is 0) has one slice a second, as upstream. InputError for a picture that
/// cannot be resized, and for sound alone.
std::vector<SeenMedia> plan_qwen2_5_vl_media(const Conversation& conversation,
                                             const Qwen2VlVideoConfig& config,
                                             double steps_per_second);
PreparedMedia prepare_qwen2_5_vl_media(const Conversation& conversation,
                                       const Qwen2VlVideoConfig& config, double steps_per_second);

/// The time that one temporal slice of a video stands for; 0 when its length is unknown.
double seconds_per_slice(const Pictures& pictures, const Qwen2VlVideoConfig& config);

}  // namespace tarsier
