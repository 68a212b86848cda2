#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/models/towers/encoder_layer.h"

namespace tarsier {

/// Defaults are CLIP ViT-L/14-336; siglip_so400m() are SigLIP-so400m-patch14-384.
struct ClipVitConfig {
  enum class Kind {
    clip,   // class token, norm before the layers, quick_gelu
    siglip  // neither; patch embedding with a bias, tanh_gelu
  };

  Kind kind = Kind::clip;
  std::int64_t width = 1024, intermediate = 4096, layers = 24, heads = 16, channels = 3,
               image_size = 336, patch_size = 14;
  double epsilon = 1e-5;
  /// Which of the layers + 1 hidden states is the feature, as transformers counts them: 0 is what
  /// enters the first layer, a negative one counts from the last layer's output, -1.
  std::int64_t feature_layer = -2;

  static ClipVitConfig siglip_so400m();
  std::int64_t side() const { return image_size / patch_size; }  // in patches
  std::int64_t patches() const { return side() * side(); }
  std::int64_t tokens() const { return patches() + (kind == Kind::clip ? 1 : 0); }
  std::int64_t patch_values() const { return channels * patch_size * patch_size; }
  /// How many layers the feature needs.
  std::int64_t used_layers() const {
    return feature_layer < 0 ? layers + 1 + feature_layer : feature_layer;
  }
  EncoderLayerConfig layer() const;
};

/// Reads vision_config of model_type clip_vision_model (also when absent) or siglip_vision_model;
/// absent keys take the defaults above (models-tarsier.md 1.3, models-video-salmonn-2.md 2.2).
/// CheckpointError names the key.
ClipVitConfig clip_vit_config(const JsonView& vision_config, std::int64_t feature_layer = -2);

/// The vision transformers of CLIP and SigLIP up to the layer whose output is the feature
/// (models-tarsier.md 2.2, transformers CLIPVisionModel; models-video-salmonn-2.md 2.2,
/// SiglipVisionModel). What lies behind it is neither built nor read. Const after loading.
class ClipVit {
 public:
  explicit ClipVit(const ClipVitConfig& config);  // on the meta device

  const ClipVitConfig& config() const { return config_; }
  /// pixels [frames, channels, image_size, image_size] -> [frames, patches, width], patches row by
  /// row, without the class token; pixels right of and below the last whole patch are not seen.
  /// `after_block` sees [frames, tokens, width], the class token first. Without a gradient and
  /// without a sink the frames pass through in bounded chunks.
  Tensor operator()(const Tensor& pixels, const BlockSink& after_block = {}) const;
  /// With gradients, keep the layers' inputs alone and compute their inside again in backward
  /// (nn/recompute.h). Before the first call.
  void set_recompute(bool recompute) { recompute_ = recompute; }
  void visit(Scope scope);  // Hugging Face names below "vision_model."
  /// Beginnings of names below the same prefix that published files hold and this tower does not
  /// read: the layers behind the feature, the norm after them, SigLIP's pooling head.
  std::vector<std::string> unused_names() const;
  /// How many values published files hold there: CLIP's last layers, and the norm after them.
  std::int64_t unused_parameters() const;

 private:
  Tensor run_frames(const Tensor& pixels, const BlockSink& after_block) const;

  ClipVitConfig config_;
  bool recompute_ = false;
  Tensor class_embedding_;     // [width], CLIP only
  Tensor patch_projection_;    // [width, channels, patch, patch]
  Tensor patch_bias_;          // [width], SigLIP only
  Tensor position_embedding_;  // [tokens, width]
  LayerNorm pre_norm_;         // CLIP only
  std::vector<EncoderLayer> layers_;
};

/// Arithmetic of one pass forward, a multiply-add counted as 2.
double flops(const ClipVitConfig& config, std::int64_t frames);

}  // namespace tarsier
