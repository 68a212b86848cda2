#include "tarsier/models/towers/whisper_encoder.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>

#include "tarsier/nn/activation.h"
#include "tarsier/tensor/shape.h"

namespace tarsier {
namespace {

// Positions that pass through the tower at a time when no gradient is kept: bounds activations to
// about 0.5 GB at full size.
constexpr std::int64_t kPositionsAtATime = 6000;

}  // namespace

EncoderLayerConfig WhisperConfig::layer() const {
  return {width,
          intermediate,
          heads,
          /*epsilon=*/1e-5,
          /*key_bias=*/false,
          exact_gelu,
          EncoderLayerConfig::Names::whisper};
}

WhisperConfig whisper_config(const JsonView& json) {
  WhisperConfig config;
  const auto read = [&](const char* key, std::int64_t& value, std::int64_t high) {
    if (json.has(key)) value = json.at(key).as_int(1, high);
  };
  read("num_mel_bins", config.mel_bins, 4096);
  read("d_model", config.width, 1 << 20);
  read("encoder_layers", config.layers, 1000);
  read("encoder_attention_heads", config.heads, 4096);
  read("encoder_ffn_dim", config.intermediate, 1 << 20);
  read("max_source_positions", config.positions, 1 << 20);
  for (const char* key : {"activation_function", "activation"}) {
    const std::string activation = json.string_or(key, "gelu");
    if (activation != "gelu")
      json.at(key).fail(fmt::format("is '{}', expected 'gelu'", activation), "check config.json");
  }
  if (json.bool_or("scale_embedding", false))
    json.at("scale_embedding").fail("is true, expected false", "check config.json");
  if (config.width % config.heads != 0) {
    json.fail(fmt::format("d_model {} is not a multiple of encoder_attention_heads {}",
                          config.width, config.heads),
              "check d_model and encoder_attention_heads");
  }
  return config;
}

WhisperEncoder::Convolution::Convolution(std::int64_t in, std::int64_t out)
    : weight(meta_tensor({out, in, 3})), bias(meta_tensor({out})) {}

void WhisperEncoder::Convolution::visit(Scope scope) {
  scope("weight", weight);
  scope("bias", bias);
}

Tensor WhisperEncoder::Convolution::operator()(const Tensor& x, std::int64_t stride) const {
  // A matrix product over rows of [in, 3] values, as the weight has them.
  const Tensor padded = at::constant_pad_nd(x, {0, 0, 1, 1});
  const Tensor rows = padded.unfold(1, 3, stride).flatten(2);  // [n, time, in * 3]
  return apply_linear(rows, weight.view({weight.size(0), -1}), bias);
}

WhisperEncoder::WhisperEncoder(const WhisperConfig& c)
    : config_(c),
      conv1_(c.mel_bins, c.width),
      conv2_(c.width, c.width),
      position_embedding_(meta_tensor({c.positions, c.width})),
      last_norm_(c.width, c.layer().epsilon) {
  for (std::int64_t i = 0; i < c.layers; ++i) layers_.emplace_back(c.layer());
}

void WhisperEncoder::visit(Scope scope) {
  conv1_.visit(scope / "conv1");
  conv2_.visit(scope / "conv2");
  (scope / "embed_positions")("weight", position_embedding_);
  for (std::size_t i = 0; i < layers_.size(); ++i)
    layers_[i].visit(scope / "layers" / static_cast<std::int64_t>(i));
  last_norm_.visit(scope / "layer_norm");
}

Tensor WhisperEncoder::run_chunks(const Tensor& mel, const BlockSink& after_block) const {
  const std::int64_t chunks = mel.size(0), positions = config_.positions, width = config_.width;
  const Tensor by_time = mel.to(position_embedding_.scalar_type()).transpose(1, 2);
  const Tensor x = exact_gelu(conv2_(exact_gelu(conv1_(by_time, 1)), 2)) + position_embedding_;
  return last_norm_(run_layers(layers_, x.view({chunks * positions, width}), positions, recompute_,
                               after_block))
      .view({chunks, positions, width});
}

Tensor WhisperEncoder::operator()(const Tensor& mel, const BlockSink& after_block) const {
  expect_shape(mel, "mel", {kAny, config_.mel_bins, config_.mel_frames()});
  const std::int64_t chunks = mel.size(0);
  if (chunks == 0) {
    return at::empty({0, config_.positions, config_.width},
                     mel.options().dtype(position_embedding_.scalar_type()));
  }
  const bool whole = at::GradMode::is_enabled() || static_cast<bool>(after_block);
  const std::int64_t step =
      whole ? chunks : std::max<std::int64_t>(1, kPositionsAtATime / config_.positions);
  std::vector<Tensor> outputs;
  for (std::int64_t begin = 0; begin < chunks; begin += step) {
    outputs.push_back(run_chunks(mel.slice(0, begin, std::min(chunks, begin + step)), after_block));
  }
  return at::cat(outputs, 0);
}

double flops(const WhisperConfig& c, std::int64_t chunks) {
  const auto width = static_cast<double>(c.width), bins = static_cast<double>(c.mel_bins);
  const double convolutions =
      2 * 3 * width *
      (bins * static_cast<double>(c.mel_frames()) + width * static_cast<double>(c.positions)) *
      static_cast<double>(chunks);
  return convolutions + static_cast<double>(c.layers) * flops(c.layer(), chunks, c.positions);
}

}  // namespace tarsier
