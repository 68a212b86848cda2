#pragma once

#include <memory>
#include <optional>

#include "tarsier/base/json.h"
#include "tarsier/models/media_encoder.h"
#include "tarsier/models/towers/qwen2_5_vl_vit.h"
#include "tarsier/models/towers/whisper_encoder.h"
#include "tarsier/models/towers/window_qformer.h"

namespace tarsier {

/// The ear of video-SALMONN 2+: Whisper's encoder, whose output the Q-Former reads window by
/// window, and a dense layer to the decoder's width (models-video-salmonn-2.md 2.8).
struct HearingConfig {
  WhisperConfig whisper;
  WindowQFormerConfig qformer;
  std::int64_t tokens_per_chunk() const;  // of 30 s
};

/// Reads an audio_config. CheckpointError names the key, also for a front end that is not
/// Whisper large-v3's and for parts whose widths do not fit together.
HearingConfig hearing_config(const JsonView& audio_config);

/// Qwen2.5-VL's vision tower (paths "visual...") and, with `hearing`, an ear ("audio...").
std::unique_ptr<MediaEncoder> qwen2_5_vl_encoder(const Qwen2_5VlVitConfig& vision,
                                                 const std::optional<HearingConfig>& hearing,
                                                 std::vector<std::string> unused_names = {});

}  // namespace tarsier
