#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/models/stages.h"
#include "tarsier/models/towers/qwen_vision.h"
#include "tarsier/nn/norm.h"

namespace tarsier {

struct Qwen2VlVitConfig {
  std::int64_t depth = 32, embed_dim = 1280, hidden_size = 3584, heads = 16, channels = 3,
               patch_size = 14, merge_size = 2, temporal_patch_size = 2;
  double mlp_ratio = 4;
  std::int64_t patch_values() const {
    return channels * temporal_patch_size * patch_size * patch_size;
  }
};

/// Reads vision_config; absent keys take Qwen2-VL's defaults (models-tarsier.md 1.3).
/// CheckpointError names the key.
Qwen2VlVitConfig qwen2_vl_vit_config(const JsonView& vision_config,
                                     std::int64_t decoder_hidden_size);

/// Qwen2-VL's vision transformer: attention inside one frame only, 2-D rotary positions, 2 x 2
/// merger (models-tarsier.md 2.6, 3.2-3.5; transformers Qwen2VisionTransformerPretrainedModel).
/// Const after loading.
class Qwen2VlVit {
 public:
  explicit Qwen2VlVit(const Qwen2VlVitConfig& config);  // on the meta device

  const Qwen2VlVitConfig& config() const { return config_; }
  /// pixels [patches, patch_values], grid i64 [media, 3] (time, height, width in patches) ->
  /// [patches / merge^2, hidden]. `after_block` sees [patches, embed_dim] before block 0 (block 0)
  /// and after each block (1, 2, ...). Without a gradient and without a sink the frames pass
  /// through in bounded chunks, being independent up to the merger.
  Tensor operator()(const Tensor& pixels, const Tensor& grid,
                    const BlockSink& after_block = {}) const;
  /// With gradients, keep the blocks' inputs alone and compute their inside again in backward
  /// (nn/recompute.h). Before the first call.
  void set_recompute(bool recompute) { recompute_ = recompute; }
  void visit(Scope scope);  // Hugging Face names below "visual."

 private:
  struct Block {
    explicit Block(const Qwen2VlVitConfig& config);
    void visit(Scope scope);
    LayerNorm norm1, norm2;
    Linear qkv, projection, fc1, fc2;
  };
  Tensor run_block(const Block& block, const Tensor& x, const SegmentAttention& attention,
                   const RotaryAngles& angles) const;
  Tensor run_frames(const Tensor& pixels, const std::vector<std::int64_t>& ends,
                    const RotaryAngles& angles, const BlockSink& after_block) const;

  Qwen2VlVitConfig config_;
  bool recompute_ = false;
  Tensor patch_projection_;  // [embed_dim, channels, temporal_patch, patch, patch]
  std::vector<Block> blocks_;
  LayerNorm merger_norm_;
  PatchMerger merger_;
};

}  // namespace tarsier
