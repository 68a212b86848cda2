#pragma once

#include <filesystem>

#include "tarsier/base/json.h"
#include "tarsier/models/family.h"
#include "tarsier/models/towers/qwen2_5_vl_vit.h"
#include "tarsier/processors/qwen2_vl_config.h"

namespace tarsier {

/// Plain Qwen2.5-VL (model_type qwen2_5_vl): windowed vision tower, positions that follow the clock
/// (models-video-salmonn-2.md 2.7, 2.11).
Network qwen2_5_vl_network(const JsonView& config);
Family qwen2_5_vl_family(const std::filesystem::path& directory, const JsonView& config,
                         const LoadOptions& options);

/// What config.json says of the decoder, the vision tower and the placeholders.
struct Qwen2_5VlParts {
  DecoderConfig decoder;
  Qwen2_5VlVitConfig vision;
  double steps_per_second = 2;  // of positions on the time axis
  std::int64_t image_token = 151655, video_token = 151656;
  std::int64_t max_tokens = 0;
};

/// CheckpointError names the key.
Qwen2_5VlParts qwen2_5_vl_parts(const JsonView& config);

/// CheckpointError when the processor's files cut pictures otherwise than the tower takes them.
void check_processor(const Qwen2_5VlVitConfig& vision, const Qwen2VlVideoConfig& processor);

}  // namespace tarsier
