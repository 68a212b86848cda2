#include "tarsier/models/causal_decoder.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "tarsier/base/error.h"
#include "tarsier/nn/activation.h"
#include "tarsier/nn/recompute.h"

namespace tarsier {
namespace {

constexpr std::int64_t kLargest =
    1 << 24;  // above any real size, below where products of sizes overflow

}  // namespace

DecoderConfig qwen2_vl_decoder_config(const JsonView& json) {
  DecoderConfig config;
  config.vocab_size = json.at("vocab_size").as_int(1, kLargest);
  config.hidden_size = json.at("hidden_size").as_int(1, kLargest);
  config.intermediate_size = json.at("intermediate_size").as_int(1, kLargest);
  config.layers = json.at("num_hidden_layers").as_int(1, 1000);
  config.heads = json.at("num_attention_heads").as_int(1, 4096);
  config.kv_heads = json.has("num_key_value_heads") ? json.at("num_key_value_heads").as_int(1, 4096)
                                                    : config.heads;
  config.head_dim = json.has("head_dim") ? json.at("head_dim").as_int(2, 4096)
                                         : config.hidden_size / config.heads;
  if (config.heads % config.kv_heads != 0) {
    json.at("num_key_value_heads")
        .fail(fmt::format("is {}, which does not divide num_attention_heads {}", config.kv_heads,
                          config.heads),
              "check config.json");
  }
  if (!json.has("head_dim") && config.hidden_size % config.heads != 0) {
    json.at("hidden_size")
        .fail(fmt::format("is {}, not a multiple of num_attention_heads {}", config.hidden_size,
                          config.heads),
              "check config.json");
  }
  config.rms_norm_epsilon = json.double_or("rms_norm_eps", 1e-6);
  config.rope_theta = json.double_or("rope_theta", 1e6);
  config.tied_head = json.bool_or("tie_word_embeddings", false);
  if (json.bool_or("use_sliding_window", false))
    json.at("use_sliding_window")
        .fail("is true, which is not supported", "no published checkpoint uses it");
  const std::string activation = json.string_or("hidden_act", "silu");
  if (activation != "silu")
    json.at("hidden_act")
        .fail(fmt::format("is '{}', expected 'silu'", activation), "check config.json");
  // Newer files say rope_parameters; both carry mrope_section, with type "mrope" or "default"
  // alike.
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const std::optional<JsonView> rope = json.find(key);
    if (!rope) continue;
    for (const char* type_key : {"type", "rope_type"}) {
      const std::string type = rope->string_or(type_key, "default");
      if (type != "mrope" && type != "default")
        rope->at(type_key).fail(fmt::format("is '{}', which is not supported", type),
                                "supported: mrope, default");
    }
    if (rope->has("mrope_section")) config.mrope_section = rope->at("mrope_section").as_ints();
    config.rope_theta = rope->double_or("rope_theta", config.rope_theta);
  }
  std::int64_t covered = 0;
  for (const std::int64_t section : config.mrope_section) covered += section;
  if (!config.mrope_section.empty() &&
      (config.mrope_section.size() != 3 || covered * 2 != config.head_dim)) {
    json.fail(
        fmt::format("mrope_section adds up to {}, expected three parts of half the head size {}",
                    covered, config.head_dim),
        "check rope_scaling");
  }
  return config;
}

CausalDecoder::Layer::Layer(const DecoderConfig& c)
    : input_norm(c.hidden_size, c.rms_norm_epsilon),
      post_attention_norm(c.hidden_size, c.rms_norm_epsilon),
      q(c.hidden_size, c.heads * c.head_dim, c.qkv_bias),
      k(c.hidden_size, c.kv_heads * c.head_dim, c.qkv_bias),
      v(c.hidden_size, c.kv_heads * c.head_dim, c.qkv_bias),
      o(c.heads * c.head_dim, c.hidden_size, false),
      gate(c.hidden_size, c.intermediate_size, false),
      up(c.hidden_size, c.intermediate_size, false),
      down(c.intermediate_size, c.hidden_size, false) {}

void CausalDecoder::Layer::visit(Scope scope) {
  input_norm.visit(scope / "input_layernorm");
  q.visit(scope / "self_attn" / "q_proj");
  k.visit(scope / "self_attn" / "k_proj");
  v.visit(scope / "self_attn" / "v_proj");
  o.visit(scope / "self_attn" / "o_proj");
  post_attention_norm.visit(scope / "post_attention_layernorm");
  gate.visit(scope / "mlp" / "gate_proj");
  up.visit(scope / "mlp" / "up_proj");
  down.visit(scope / "mlp" / "down_proj");
}

CausalDecoder::CausalDecoder(const DecoderConfig& config)
    : config_(config),
      embedding_(meta_tensor({config.vocab_size, config.hidden_size})),
      norm_(config.hidden_size, config.rms_norm_epsilon) {
  for (std::int64_t i = 0; i < config.layers; ++i) layers_.emplace_back(config);
  if (!config.tied_head) head_ = meta_tensor({config.vocab_size, config.hidden_size});
}

Tensor CausalDecoder::embed(const Tensor& tokens) const {
  return at::embedding(embedding_, tokens);
}

Tensor CausalDecoder::run_layer(std::int64_t index, const Tensor& x, const RotaryAngles& angles,
                                const Attend& attend) const {
  const Layer& layer = layers_[static_cast<std::size_t>(index)];
  const std::int64_t tokens = x.size(0);
  const auto heads_of = [&](const Tensor& rows, std::int64_t heads) {
    return rows.view({tokens, heads, config_.head_dim});
  };
  const Tensor normed = layer.input_norm(x);
  const Tensor query = rotate(heads_of(layer.q(normed), config_.heads), angles);
  const Tensor key = rotate(heads_of(layer.k(normed), config_.kv_heads), angles);
  const Tensor value = heads_of(layer.v(normed), config_.kv_heads);
  const Tensor attended =
      x +
      layer.o(attend(index, query, key, value).reshape({tokens, config_.heads * config_.head_dim}));
  const Tensor inner = layer.post_attention_norm(attended);
  return attended + layer.down(swiglu(layer.gate(inner), layer.up(inner)));
}

Tensor CausalDecoder::forward(const Tensor& hidden, const Tensor& positions, const Attend& attend,
                              const HiddenSink& sink) const {
  const RotaryAngles angles = decoder_angles(positions, config_.head_dim, config_.rope_theta,
                                             config_.mrope_section, hidden.scalar_type());
  Tensor x = hidden;
  if (sink) sink(0, x);
  for (std::int64_t i = 0; i < config_.layers; ++i) {
    if (recompute_) {
      x = recomputed(
          [this, i, angles, attend](const Tensor& in) { return run_layer(i, in, angles, attend); },
          x, weights_of(layers_[static_cast<std::size_t>(i)]));
    } else {
      x = run_layer(i, x, angles, attend);
    }
    if (sink) sink(i + 1, x);
  }
  return norm_(x);
}

Tensor CausalDecoder::logits(const Tensor& hidden) const {
  return apply_linear(hidden, config_.tied_head ? embedding_ : head_, Tensor())
      .to(hidden.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
}

void CausalDecoder::visit(Scope scope) {
  const Scope model = scope / "model";
  (model / "embed_tokens")("weight", embedding_);
  for (std::size_t i = 0; i < layers_.size(); ++i)
    layers_[i].visit(model / "layers" / static_cast<std::int64_t>(i));
  norm_.visit(model / "norm");
  (scope / "lm_head")("weight", head_);
}

}  // namespace tarsier
