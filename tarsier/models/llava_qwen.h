#pragma once

#include <filesystem>

#include "tarsier/base/json.h"
#include "tarsier/models/family.h"
#include "tarsier/models/llava_encoder.h"
#include "tarsier/processors/llava_media.h"

namespace tarsier {

// What the LlavaQwen families share: SigLIP, a projector and Qwen2's decoder in one flat
// config.json (models-video-salmonn-2.md 1.3, 2.1-2.3). LLaVA-OneVision and video-SALMONN 2 differ
// in what they do between.

/// Whether a config.json is of this kind: by LLaVA's own keys, as its model_type is whatever the
/// saving program's was.
bool is_llava_qwen(const JsonView& config);

/// The vision tower: SigLIP-so400m-patch14-384, whose sizes no published file holds, or that of a
/// `vision_config` (siglip_vision_model). CheckpointError for another tower, projector or decoder.
ClipVitConfig llava_qwen_vision(const JsonView& config);

/// The weights: what config.json and `encoder` decide.
Network llava_qwen_network(const JsonView& config, const LlavaEncoderConfig& encoder);

/// A family but for its name, sampling, prompt and what `encoder` and `media` add. ConfigError for
/// a limit of pixels, which squares of one size have no use for.
Family llava_qwen_family(const JsonView& config, const LlavaEncoderConfig& encoder,
                         LlavaMediaConfig media, const LoadOptions& options);

}  // namespace tarsier
