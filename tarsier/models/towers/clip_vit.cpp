#include "tarsier/models/towers/clip_vit.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>

#include "tarsier/nn/activation.h"
#include "tarsier/tensor/shape.h"

namespace tarsier {
namespace {

// Tokens that pass through the tower at a time when no gradient is kept: bounds activations to
// about 1 GB at full size.
constexpr std::int64_t kChunkTokens = 8192;

bool is_clip(const ClipVitConfig& config) { return config.kind == ClipVitConfig::Kind::clip; }

}  // namespace

ClipVitConfig ClipVitConfig::siglip_so400m() {
  ClipVitConfig config;
  config.kind = Kind::siglip;
  config.width = 1152;
  config.intermediate = 4304;
  config.layers = 27;
  config.image_size = 384;
  config.epsilon = 1e-6;
  return config;
}

EncoderLayerConfig ClipVitConfig::layer() const {
  return {width,
          intermediate,
          heads,
          epsilon,
          /*key_bias=*/true,
          kind == Kind::clip ? quick_gelu : tanh_gelu,
          EncoderLayerConfig::Names::clip};
}

ClipVitConfig clip_vit_config(const JsonView& json, std::int64_t feature_layer) {
  const std::string type = json.string_or("model_type", "clip_vision_model");
  if (type != "clip_vision_model" && type != "siglip_vision_model") {
    json.at("model_type")
        .fail(fmt::format("is '{}', expected clip_vision_model or siglip_vision_model", type),
              "check config.json");
  }
  ClipVitConfig config =
      type == "clip_vision_model" ? ClipVitConfig{} : ClipVitConfig::siglip_so400m();
  const auto read = [&](const char* key, std::int64_t& value, std::int64_t high) {
    if (json.has(key)) value = json.at(key).as_int(1, high);
  };
  read("hidden_size", config.width, 1 << 20);
  read("intermediate_size", config.intermediate, 1 << 20);
  read("num_hidden_layers", config.layers, 1000);
  read("num_attention_heads", config.heads, 4096);
  read("num_channels", config.channels, 16);
  read("image_size", config.image_size, 1 << 14);
  read("patch_size", config.patch_size, 1024);
  config.epsilon = json.double_or("layer_norm_eps", config.epsilon);
  config.feature_layer = feature_layer;
  const std::string expected = is_clip(config) ? "quick_gelu" : "gelu_pytorch_tanh",
                    activation = json.string_or("hidden_act", expected);
  if (activation != expected) {
    json.at("hidden_act")
        .fail(fmt::format("is '{}', expected '{}'", activation, expected), "check config.json");
  }
  if (config.width % config.heads != 0) {
    json.fail(fmt::format("hidden_size {} is not a multiple of num_attention_heads {}",
                          config.width, config.heads),
              "check hidden_size and num_attention_heads");
  }
  if (config.image_size < config.patch_size) {
    json.fail(fmt::format("image_size {} is smaller than patch_size {}", config.image_size,
                          config.patch_size),
              "check image_size and patch_size");
  }
  if (feature_layer < -config.layers - 1 || feature_layer > config.layers) {
    json.fail(fmt::format("num_hidden_layers {} gives {} hidden states, the feature is number {}",
                          config.layers, config.layers + 1, feature_layer),
              "check num_hidden_layers and vision_feature_layer");
  }
  return config;
}

ClipVit::ClipVit(const ClipVitConfig& c)
    : config_(c),
      patch_projection_(meta_tensor({c.width, c.channels, c.patch_size, c.patch_size})),
      position_embedding_(meta_tensor({c.tokens(), c.width})),
      pre_norm_(c.width, c.epsilon) {
  if (is_clip(c)) {
    class_embedding_ = meta_tensor({c.width});
  } else {
    patch_bias_ = meta_tensor({c.width});
  }
  for (std::int64_t i = 0; i < c.used_layers(); ++i) layers_.emplace_back(c.layer());
}

void ClipVit::visit(Scope scope) {
  scope("embeddings.class_embedding", class_embedding_);
  scope("embeddings.patch_embedding.weight", patch_projection_);
  scope("embeddings.patch_embedding.bias", patch_bias_);
  scope("embeddings.position_embedding.weight", position_embedding_);
  if (is_clip(config_)) pre_norm_.visit(scope / "pre_layrnorm");
  for (std::size_t i = 0; i < layers_.size(); ++i)
    layers_[i].visit(scope / "encoder" / "layers" / static_cast<std::int64_t>(i));
}

std::vector<std::string> ClipVit::unused_names() const {
  std::vector<std::string> names{"post_layernorm."};
  if (!is_clip(config_)) names.emplace_back("head.");
  for (std::int64_t i = config_.used_layers(); i < config_.layers; ++i)
    names.push_back(fmt::format("encoder.layers.{}.", i));
  return names;
}

std::int64_t ClipVit::unused_parameters() const {
  const std::int64_t w = config_.width, inner = config_.intermediate;
  const std::int64_t layer = 4 * (w * w + w) + 2 * w * inner + inner + w + 4 * w;
  const std::int64_t layers = is_clip(config_) ? config_.layers - config_.used_layers() : 0;
  return layers * layer + 2 * w;
}

Tensor ClipVit::run_frames(const Tensor& pixels, const BlockSink& after_block) const {
  const std::int64_t frames = pixels.size(0), side = config_.side(), patch = config_.patch_size,
                     width = config_.width;
  // The convolution's kernel equals its stride, so it is a matrix product over flattened patches.
  const Tensor patches = pixels.slice(2, 0, side * patch)
                             .slice(3, 0, side * patch)
                             .to(patch_projection_.scalar_type())
                             .reshape({frames, config_.channels, side, patch, side, patch})
                             .permute({0, 2, 4, 1, 3, 5})
                             .reshape({frames, config_.patches(), config_.patch_values()});
  Tensor x =
      apply_linear(patches, patch_projection_.view({width, config_.patch_values()}), patch_bias_);
  if (is_clip(config_)) x = at::cat({class_embedding_.expand({frames, 1, width}), x}, 1);
  x = x + position_embedding_;
  if (is_clip(config_)) x = pre_norm_(x);
  x = run_layers(layers_, x.view({frames * config_.tokens(), width}), config_.tokens(), recompute_,
                 after_block)
          .view({frames, config_.tokens(), width});
  return is_clip(config_) ? x.slice(1, 1) : x;
}

Tensor ClipVit::operator()(const Tensor& pixels, const BlockSink& after_block) const {
  expect_shape(pixels, "pixels", {kAny, config_.channels, config_.image_size, config_.image_size});
  const std::int64_t frames = pixels.size(0);
  if (frames == 0) {
    return at::empty({0, config_.patches(), config_.width},
                     pixels.options().dtype(patch_projection_.scalar_type()));
  }
  const bool whole = at::GradMode::is_enabled() || static_cast<bool>(after_block);
  const std::int64_t step =
      whole ? frames : std::max<std::int64_t>(1, kChunkTokens / config_.tokens());
  std::vector<Tensor> outputs;
  for (std::int64_t begin = 0; begin < frames; begin += step) {
    outputs.push_back(
        run_frames(pixels.slice(0, begin, std::min(frames, begin + step)), after_block));
  }
  return at::cat(outputs, 0);
}

double flops(const ClipVitConfig& c, std::int64_t frames) {
  const double embedding = 2.0 * static_cast<double>(frames * c.patches()) *
                           static_cast<double>(c.patch_values() * c.width);
  return embedding + static_cast<double>(c.used_layers()) * flops(c.layer(), frames, c.tokens());
}

}  // namespace tarsier
