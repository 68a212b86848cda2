#pragma once

#include <memory>
#include <optional>

#include "tarsier/base/json.h"
#include "tarsier/models/media_encoder.h"
#include "tarsier/models/towers/qwen2_vl_vit.h"
#include "tarsier/processors/mrope_positions.h"
#include "tarsier/processors/qwen2_vl_config.h"

namespace tarsier {

/// Qwen2-VL's vision tower alone: what Qwen2-VL and Tarsier2 encode with.
std::unique_ptr<MediaEncoder> qwen2_vl_encoder(const Qwen2VlVitConfig& vision);

/// CheckpointError when the processor's files cut pictures otherwise than the tower takes them.
void check_processor(const Qwen2VlVitConfig& vision, const Qwen2VlVideoConfig& processor);

/// --max-pixels in place of every limit of a picture's area. ConfigError when the model needs more.
void limit_pixels(Qwen2VlVideoConfig& processor, std::optional<std::int64_t> max_pixels);

/// The rule a checkpoint was made with: transformers changed it in version 5, and config.json
/// records the version.
PositionsAfterMedia positions_after_media(const JsonView& config);

}  // namespace tarsier
