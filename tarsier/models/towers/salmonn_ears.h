#pragma once

#include <cstdint>

#include "tarsier/models/media_encoder.h"
#include "tarsier/models/towers/whisper_encoder.h"
#include "tarsier/models/towers/window_qformer.h"

namespace tarsier {

struct SalmonnEarsConfig {
  WhisperConfig whisper;
  WindowQFormerConfig qformer;
  bool final_linear = true;
  std::int64_t hidden_size = 3584;  // of the decoder

  std::int64_t tokens_per_chunk() const {
    return qformer.windows(whisper.positions) * qformer.queries;
  }
};

/// video-SALMONN 2's sound: Whisper's encoder, a norm, one query for each window of half a second,
/// two projections, and a sinusoid that tells the chunks of 30 s apart
/// (models-video-salmonn-2.md 2.4). Const after loading.
class SalmonnEars {
 public:
  explicit SalmonnEars(const SalmonnEarsConfig& config);  // on the meta device

  const SalmonnEarsConfig& config() const { return config_; }
  /// mel [chunks, mel_bins, mel_frames] -> [chunks, tokens_per_chunk, hidden], before the sinusoid.
  /// Without a gradient and without a sink the chunks pass through a few at a time.
  Tensor operator()(const Tensor& mel, const StageSink& sink = {}) const;
  /// The chunks of one sound with the sinusoid, [chunks * tokens_per_chunk, hidden].
  static Tensor in_order(const Tensor& chunks);

  void set_recompute(bool recompute);  // before the first call
  void visit(Scope scope);             // names as published, from the top

 private:
  Tensor run_chunks(const Tensor& mel, const StageSink& sink) const;

  SalmonnEarsConfig config_;
  WhisperEncoder whisper_;
  LayerNorm norm_;
  Tensor query_;  // [1, queries, qformer width]
  WindowQFormer qformer_;
  Linear projection_, final_in_, final_out_;
};

/// Arithmetic of one pass forward, a multiply-add counted as 2.
double flops(const SalmonnEarsConfig& config, std::int64_t chunks);

}  // namespace tarsier
