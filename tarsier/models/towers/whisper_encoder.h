#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/models/towers/encoder_layer.h"

namespace tarsier {

/// Defaults are whisper-large-v3.
struct WhisperConfig {
  std::int64_t mel_bins = 128, width = 1280, layers = 32, heads = 20, intermediate = 5120,
               positions = 1500;  // of 30 s
  std::int64_t mel_frames() const { return 2 * positions; }
  EncoderLayerConfig layer() const;
};

/// Reads the keys of Whisper's config.json or of an audio_config; absent ones take the defaults
/// above (models-video-salmonn-2.md 1.3). CheckpointError names the key.
WhisperConfig whisper_config(const JsonView& audio_config);

/// Whisper's encoder: two convolutions over time, stored positions, pre-norm layers, a last norm
/// (models-video-salmonn-2.md 2.4; transformers WhisperEncoder). Silence that fills a chunk up is
/// not masked. Const after loading.
class WhisperEncoder {
 public:
  explicit WhisperEncoder(const WhisperConfig& config);  // on the meta device

  const WhisperConfig& config() const { return config_; }
  /// mel [chunks, mel_bins, mel_frames] -> [chunks, positions, width]. `after_block` sees [chunks,
  /// positions, width], before the last norm. Without a gradient and without a sink chunks of 30 s
  /// pass through a few at a time.
  Tensor operator()(const Tensor& mel, const BlockSink& after_block = {}) const;
  /// With gradients, keep the layers' inputs alone and compute their inside again in backward
  /// (nn/recompute.h). Before the first call.
  void set_recompute(bool recompute) { recompute_ = recompute; }
  void visit(Scope scope);  // Hugging Face names below "model.encoder."

 private:
  /// Kernel 3 over time with a zero on either side.
  struct Convolution {
    Tensor weight, bias;  // [out, in, 3], [out]

    Convolution(std::int64_t in, std::int64_t out);
    Tensor operator()(const Tensor& x, std::int64_t stride) const;  // [n, time, in] -> [.., out]
    void visit(Scope scope);
  };
  Tensor run_chunks(const Tensor& mel, const BlockSink& after_block) const;

  WhisperConfig config_;
  bool recompute_ = false;
  Convolution conv1_, conv2_;
  Tensor position_embedding_;  // [positions, width]
  std::vector<EncoderLayer> layers_;
  LayerNorm last_norm_;
};

/// Arithmetic of one pass forward, a multiply-add counted as 2.
double flops(const WhisperConfig& config, std::int64_t chunks);

}  // namespace tarsier
