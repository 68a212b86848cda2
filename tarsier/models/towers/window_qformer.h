#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/models/towers/encoder_layer.h"

namespace tarsier {

/// Defaults are video-SALMONN 2+; video-SALMONN 2 has width 768 and intermediate 3072.
struct WindowQFormerConfig {
  std::int64_t width = 3072, intermediate = 12288, layers = 2, heads = 12, encoder_width = 1280,
               queries = 1;
  double epsilon = 1e-12;
  double second_per_window = 0.5, second_stride = 0.5;

  /// Of `time` positions, which are 30 s: positions of one window, from one window's start to the
  /// next's, and how many windows that makes. Halves round to even, as Python's round.
  std::int64_t window(std::int64_t time) const;
  std::int64_t stride(std::int64_t time) const;
  std::int64_t windows(std::int64_t time) const;  // 0 when not even one fits
};

/// Reads an audio_config with its qformer_config; absent keys keep the values of `defaults`
/// (models-video-salmonn-2.md 1.3). CheckpointError names the key.
WindowQFormerConfig window_qformer_config(const JsonView& audio_config,
                                          WindowQFormerConfig defaults = {});

/// Queries that read one short window of a sound at a time: post-norm layers of self-attention
/// among the queries, cross-attention to the window, and a feed-forward part, as BERT's
/// (models-video-salmonn-2.md 2.4, "Window Q-Former"). Const after loading.
class WindowQFormer {
 public:
  explicit WindowQFormer(const WindowQFormerConfig& config);  // on the meta device

  const WindowQFormerConfig& config() const { return config_; }
  /// encoded [chunks, time, encoder_width], time being 30 s, query [1, queries, width] ->
  /// [chunks, windows, queries, width]. `after_block` sees [chunks * windows, queries, width].
  /// Without a gradient and without a sink the windows pass through in bounded numbers.
  Tensor operator()(const Tensor& encoded, const Tensor& query,
                    const BlockSink& after_block = {}) const;
  /// With gradients, keep the layers' inputs alone and compute their inside again in backward
  /// (nn/recompute.h). Before the first call.
  void set_recompute(bool recompute) { recompute_ = recompute; }
  void visit(Scope scope);  // names as published, from "bert." on

 private:
  struct Attention {
    Attention(const WindowQFormerConfig& config, std::int64_t source_width);
    void visit(Scope scope);
    /// hidden [windows, queries, width], source [windows, positions, source_width]
    Tensor operator()(const Tensor& hidden, const Tensor& source) const;

    std::int64_t heads;
    Linear query, key, value, dense;
    LayerNorm norm;
  };
  struct Layer {
    explicit Layer(const WindowQFormerConfig& config);
    void visit(Scope scope);
    Tensor operator()(const Tensor& hidden, const Tensor& windows) const;

    Attention self_attention, cross_attention;
    Linear intermediate, output;
    LayerNorm norm;
  };
  Tensor run_windows(const Tensor& windows, const Tensor& query,
                     const BlockSink& after_block) const;

  WindowQFormerConfig config_;
  bool recompute_ = false;
  LayerNorm query_norm_;
  std::vector<Layer> layers_;
};

/// Arithmetic of one pass forward, a multiply-add counted as 2.
double flops(const WindowQFormerConfig& config, std::int64_t chunks, std::int64_t time);

}  // namespace tarsier
