#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/models/stages.h"
#include "tarsier/nn/attention.h"
#include "tarsier/nn/linear.h"
#include "tarsier/nn/norm.h"

namespace tarsier {

struct EncoderLayerConfig {
  enum class Names { clip, whisper };  // of the published tensors

  std::int64_t width = 0, intermediate = 0, heads = 1;
  double epsilon = 1e-5;
  bool key_bias = true;
  Tensor (*activation)(const Tensor&) = nullptr;
  Names names = Names::clip;
};

/// The layer that CLIP, SigLIP and Whisper share: x += out(attention(norm x)), then
/// x += fc2(activation(fc1(norm x))) (models-tarsier.md 2.2, models-video-salmonn-2.md 2.2, 2.4).
class EncoderLayer {
 public:
  explicit EncoderLayer(const EncoderLayerConfig& config);  // on the meta device

  Tensor operator()(const Tensor& x,
                    const SegmentAttention& attention) const;  // [tokens, width] -> the same
  void visit(Scope scope);

 private:
  EncoderLayerConfig config_;
  LayerNorm attention_norm_, mlp_norm_;
  Linear query_, key_, value_, out_, fc1_, fc2_;
};

/// x [segments * length, width] through all layers, every segment for itself. `sink` sees
/// [segments, length, width].
Tensor run_layers(const std::vector<EncoderLayer>& layers, const Tensor& x, std::int64_t length,
                  bool recompute, const BlockSink& sink);

/// Arithmetic of one layer over `segments` of `length` tokens each, a multiply-add counted as 2.
double flops(const EncoderLayerConfig& config, std::int64_t segments, std::int64_t length);

}  // namespace tarsier
