#include "tarsier/models/towers/encoder_layer.h"

#include <ATen/ATen.h>

#include <memory>

#include "tarsier/base/error.h"
#include "tarsier/nn/recompute.h"

namespace tarsier {

EncoderLayer::EncoderLayer(const EncoderLayerConfig& c)
    : config_(c),
      attention_norm_(c.width, c.epsilon),
      mlp_norm_(c.width, c.epsilon),
      query_(c.width, c.width, true),
      key_(c.width, c.width, c.key_bias),
      value_(c.width, c.width, true),
      out_(c.width, c.width, true),
      fc1_(c.width, c.intermediate, true),
      fc2_(c.intermediate, c.width, true) {
  check(c.activation != nullptr, "an encoder layer has an activation");
}

void EncoderLayer::visit(Scope scope) {
  const bool clip = config_.names == EncoderLayerConfig::Names::clip;
  const Scope mlp = clip ? scope / "mlp" : scope;
  attention_norm_.visit(scope / (clip ? "layer_norm1" : "self_attn_layer_norm"));
  query_.visit(scope / "self_attn" / "q_proj");
  key_.visit(scope / "self_attn" / "k_proj");
  value_.visit(scope / "self_attn" / "v_proj");
  out_.visit(scope / "self_attn" / "out_proj");
  mlp_norm_.visit(scope / (clip ? "layer_norm2" : "final_layer_norm"));
  fc1_.visit(mlp / "fc1");
  fc2_.visit(mlp / "fc2");
}

Tensor EncoderLayer::operator()(const Tensor& x, const SegmentAttention& attention) const {
  const Tensor normed = attention_norm_(x);
  const auto heads_of = [&](const Linear& linear) {
    return linear(normed).view({x.size(0), config_.heads, config_.width / config_.heads});
  };
  const Tensor attended = attention(heads_of(query_), heads_of(key_), heads_of(value_));
  const Tensor y = x + out_(attended.reshape({x.size(0), config_.width}));
  return y + fc2_(config_.activation(fc1_(mlp_norm_(y))));
}

Tensor run_layers(const std::vector<EncoderLayer>& layers, const Tensor& x, std::int64_t length,
                  bool recompute, const BlockSink& sink) {
  const std::int64_t tokens = x.size(0), segments = tokens / length;
  std::vector<std::int64_t> ends;
  for (std::int64_t i = 1; i <= segments; ++i) ends.push_back(i * length);
  // Shared, since with recompute the layers need it in backward too.
  const auto attention = std::make_shared<const SegmentAttention>(
      AttentionLayout{ends, std::vector<std::int64_t>(ends.size(), -1), /*causal=*/false},
      x.device());
  Tensor hidden = x;
  const auto show = [&](std::int64_t block) {
    if (sink) sink(block, hidden.view({segments, length, hidden.size(1)}));
  };
  show(0);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const EncoderLayer& layer = layers[i];
    if (recompute) {
      hidden = recomputed([&layer, attention](const Tensor& in) { return layer(in, *attention); },
                          hidden, weights_of(layer));
    } else {
      hidden = layer(hidden, *attention);
    }
    show(static_cast<std::int64_t>(i) + 1);
  }
  return hidden;
}

double flops(const EncoderLayerConfig& c, std::int64_t segments, std::int64_t length) {
  const auto width = static_cast<double>(c.width), tokens = static_cast<double>(segments * length);
  const double linears = 2 * (4 * width * width + 2 * width * static_cast<double>(c.intermediate));
  return tokens * (linears + 4 * width * static_cast<double>(length));
}

}  // namespace tarsier
