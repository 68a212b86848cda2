#pragma once

#include <memory>
#include <optional>

#include "tarsier/models/media_encoder.h"
#include "tarsier/models/towers/clip_vit.h"
#include "tarsier/models/towers/salmonn_ears.h"
#include "tarsier/processors/anyres.h"

namespace tarsier {

struct LlavaEncoderConfig {
  /// What becomes of a frame's side x side projected patches.
  enum class Pool {
    max_with_rows,  // largest of 2 x 2, an odd last row and column left out; a newline behind each
                    // row: video-SALMONN 2
    bilinear        // to half the side, rounded up; one newline behind the last frame:
                    // LLaVA-OneVision
  };

  ClipVitConfig vision = ClipVitConfig::siglip_so400m();
  Pool pool = Pool::max_with_rows;
  std::int64_t hidden_size = 3584;  // of the decoder
  std::optional<SalmonnEarsConfig> ears;
  std::optional<AnyresConfig> anyres;  // how an image is cut; unset: there are none

  std::int64_t pooled_side() const;
  std::int64_t tokens_per_frame() const;
  std::int64_t closing_tokens() const { return pool == Pool::bilinear ? 1 : 0; }
};

/// Patches row by row [frames, side * side, hidden] -> [frames, pooled side, pooled side, hidden].
Tensor pool_patches(const Tensor& patches, LlavaEncoderConfig::Pool pool);

/// SigLIP's features, projected, pooled and parted by newlines; sound where there are ears, spread
/// between the frames; an image's patches side by side again; the words of
/// MediumLayout::frame_words behind them, filled up with zeros (models-video-salmonn-2.md 2.3-2.6).
std::unique_ptr<MediaEncoder> llava_encoder(const LlavaEncoderConfig& config);

}  // namespace tarsier
