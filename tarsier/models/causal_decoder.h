#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/nn/linear.h"
#include "tarsier/nn/norm.h"
#include "tarsier/nn/rotary.h"

namespace tarsier {

struct DecoderConfig {
  std::int64_t vocab_size = 0, hidden_size = 0, intermediate_size = 0, layers = 0, heads = 0,
               kv_heads = 0, head_dim = 0;
  double rms_norm_epsilon = 1e-6, rope_theta = 1e6;
  std::vector<std::int64_t> mrope_section;  // empty: one-axis positions
  bool qkv_bias = true;
  bool tied_head = false;  // logits use the embedding table
};

/// Reads the language keys of a Qwen2-VL config.json (flat, or what text_config holds).
/// CheckpointError names the key.
DecoderConfig qwen2_vl_decoder_config(const JsonView& text_config);

/// Who attends to whom is the caller's: a cache, packed samples or a tree of answers.
/// (layer, query [tokens, heads, head_dim], key, value [tokens, kv_heads, head_dim]) -> [tokens,
/// heads, head_dim]. With recompute it is called again in backward: it must be the same function
/// then, and hold what it reads.
using Attend = std::function<Tensor(std::int64_t layer, const Tensor& query, const Tensor& key,
                                    const Tensor& value)>;
/// Sees the residual stream [tokens, hidden] before layer 0 (layer 0) and after each layer (layer
/// 1, 2, ...).
using HiddenSink = std::function<void(std::int64_t layer, const Tensor& hidden)>;

/// A pre-norm decoder with grouped queries, rotary positions and a gated MLP (Llama, Qwen2,
/// Qwen2-VL). Const after loading. Any number of tokens, of any number of sequences: only `attend`
/// knows which.
class CausalDecoder {
 public:
  explicit CausalDecoder(const DecoderConfig& config);  // on the meta device

  const DecoderConfig& config() const { return config_; }
  Tensor embed(const Tensor& tokens) const;  // i64 [tokens] -> [tokens, hidden]
  /// Residual stream [tokens, hidden] after the final norm. positions i64 [1 or 3, tokens].
  Tensor forward(const Tensor& hidden, const Tensor& positions, const Attend& attend,
                 const HiddenSink& sink = {}) const;
  Tensor logits(const Tensor& hidden) const;  // [rows, hidden] -> f32 [rows, vocab]

  const Tensor& embedding_weight() const { return embedding_; }  // [vocab, hidden]
  at::Device device() const { return embedding_.device(); }      // of all weights
  /// With gradients, keep the layers' inputs alone and compute their inside again in backward
  /// (nn/recompute.h). Before the first forward.
  void set_recompute(bool recompute) { recompute_ = recompute; }
  void visit(Scope scope);  // Hugging Face names: model.embed_tokens.weight, model.layers.0...,
                            // lm_head.weight

 private:
  struct Layer {
    explicit Layer(const DecoderConfig& config);
    void visit(Scope scope);
    RmsNorm input_norm, post_attention_norm;
    Linear q, k, v, o, gate, up, down;
  };

  Tensor run_layer(std::int64_t index, const Tensor& x, const RotaryAngles& angles,
                   const Attend& attend) const;

  DecoderConfig config_;
  bool recompute_ = false;
  Tensor embedding_;  // [vocab, hidden]
  std::vector<Layer> layers_;
  RmsNorm norm_;
  Tensor head_;  // [vocab, hidden], undefined when tied
};

}  // namespace tarsier
