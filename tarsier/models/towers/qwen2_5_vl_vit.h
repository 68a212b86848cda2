#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/models/towers/encoder_layer.h"
#include "tarsier/models/towers/qwen_vision.h"
#include "tarsier/processors/patch_grid.h"

namespace tarsier {

struct Qwen2_5VlVitConfig {
  std::int64_t depth = 32, width = 1280, intermediate = 3420, hidden_size = 3584, heads = 16,
               channels = 3, patch_size = 14, merge_size = 2, temporal_patch_size = 2,
               window_size = 112;  // in pixels
  std::vector<std::int64_t> full_attention_blocks = {7, 15, 23, 31};
  std::int64_t patch_values() const {
    return channels * temporal_patch_size * patch_size * patch_size;
  }
  std::int64_t window_side() const { return window_size / merge_size / patch_size; }  // merged
  bool is_full(std::int64_t block) const;
};

/// Reads vision_config; absent keys take Qwen2.5-VL's defaults, `in_chans` and `spatial_patch_size`
/// are other names of `in_channels` and `patch_size` (models-video-salmonn-2.md 1.3).
/// CheckpointError names the key.
Qwen2_5VlVitConfig qwen2_5_vl_vit_config(const JsonView& vision_config,
                                         std::int64_t decoder_hidden_size);

/// The windows of one slice, row by row, those at the right and lower edge cut off by it.
struct WindowOrder {
  std::vector<std::int64_t> tokens;  // which merged token, counted row by row, comes i-th
  std::vector<std::int64_t> ends;    // [windows], exclusive offsets into tokens
};

/// height x width merged tokens in windows of side x side (models-video-salmonn-2.md 2.7, 3.5 T11).
WindowOrder window_order(std::int64_t height, std::int64_t width, std::int64_t side);

/// Qwen2.5-VL's vision transformer: most blocks attend inside windows, a few inside one temporal
/// slice; 2-D rotary positions, RMS norms, gated MLPs with biases, 2 x 2 merger
/// (models-video-salmonn-2.md 2.7; transformers Qwen2_5_VisionTransformerPretrainedModel). Const
/// after loading.
class Qwen2_5VlVit {
 public:
  explicit Qwen2_5VlVit(const Qwen2_5VlVitConfig& config);  // on the meta device

  const Qwen2_5VlVitConfig& config() const { return config_; }
  /// pixels [patches, patch_values], grid i64 [media, 3] (time, height, width in patches) ->
  /// [patches / merge^2, hidden], in the order of the patches. `after_block` sees [patches, width]
  /// window by window. Without a gradient and without a sink the slices pass through in bounded
  /// chunks.
  Tensor operator()(const Tensor& pixels, const Tensor& grid,
                    const BlockSink& after_block = {}) const;
  /// With gradients, keep the blocks' inputs alone and compute their inside again in backward
  /// (nn/recompute.h). Before the first call.
  void set_recompute(bool recompute) { recompute_ = recompute; }
  void visit(Scope scope);  // Hugging Face names below "visual."

 private:
  struct Block {
    explicit Block(const Qwen2_5VlVitConfig& config);
    void visit(Scope scope);
    RmsNorm norm1, norm2;
    Linear qkv, projection, gate, up, down;
  };
  /// A run of slices, made ready once for all blocks.
  struct Run {
    Tensor order;         // i64 [patches]: the patch that comes i-th, window by window
    Tensor place;         // i64 [tokens]: where each merged token came
    RotaryAngles angles;  // [patches, head_dim], window by window
    SegmentAttention full, windows;
  };
  Run make_run(const std::vector<SliceShape>& slices, const at::Device& device) const;
  Tensor run_block(const Block& block, const Tensor& x, const SegmentAttention& attention,
                   const RotaryAngles& angles) const;
  Tensor run_slices(const Tensor& pixels, const std::vector<SliceShape>& slices,
                    const BlockSink& after_block) const;

  Qwen2_5VlVitConfig config_;
  bool recompute_ = false;
  Tensor patch_projection_;  // [width, channels, temporal_patch, patch, patch]
  std::vector<Block> blocks_;
  RmsNorm merger_norm_;
  PatchMerger merger_;
};

/// Arithmetic of one pass forward, a multiply-add counted as 2.
double flops(const Qwen2_5VlVitConfig& config, const PatchGrid& grid);

}  // namespace tarsier
