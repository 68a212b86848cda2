#include "tarsier/models/towers/window_qformer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/nn/activation.h"
#include "tarsier/nn/recompute.h"
#include "tarsier/tensor/shape.h"

namespace tarsier {
namespace {

// Windows that pass through at a time when no gradient is kept: bounds keys and values to about
// 0.3 GB at full size.
constexpr std::int64_t kWindowsAtATime = 512;

constexpr double kSeconds = 30;  // of one chunk

std::int64_t positions_of(double seconds, std::int64_t time) {
  return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(time) * seconds / kSeconds));
}

}  // namespace

std::int64_t WindowQFormerConfig::window(std::int64_t time) const {
  return positions_of(second_per_window, time);
}

std::int64_t WindowQFormerConfig::stride(std::int64_t time) const {
  return positions_of(second_stride, time);
}

std::int64_t WindowQFormerConfig::windows(std::int64_t time) const {
  const std::int64_t length = window(time), step = stride(time);
  check(length > 0 && step > 0, "a window and its stride hold at least one position");
  return time < length ? 0 : (time - length) / step + 1;
}

WindowQFormerConfig window_qformer_config(const JsonView& audio, WindowQFormerConfig config) {
  const auto read_seconds = [&](const char* key, double& value) {
    if (!audio.has(key)) return;
    value = audio.at(key).as_double();
    if (value < 0.02 || value > kSeconds) {
      audio.at(key).fail(fmt::format("is {}, expected seconds from 0.02 to 30", value),
                         "check config.json");
    }
  };
  read_seconds("second_per_window", config.second_per_window);
  read_seconds("second_stride", config.second_stride);
  if (!audio.has("qformer_config")) return config;
  const JsonView json = audio.at("qformer_config");
  const auto read = [&](const char* key, std::int64_t& value, std::int64_t high) {
    if (json.has(key)) value = json.at(key).as_int(1, high);
  };
  read("hidden_size", config.width, 1 << 20);
  read("intermediate_size", config.intermediate, 1 << 20);
  read("num_hidden_layers", config.layers, 1000);
  read("num_attention_heads", config.heads, 4096);
  read("encoder_width", config.encoder_width, 1 << 20);
  read("query_length", config.queries, 1 << 12);
  config.epsilon = json.double_or("layer_norm_eps", config.epsilon);
  if (json.string_or("hidden_act", "gelu") != "gelu") {
    json.at("hidden_act")
        .fail(fmt::format("is '{}', expected 'gelu'", json.at("hidden_act").as_string()),
              "check config.json");
  }
  if (!json.bool_or("add_cross_attention", true))
    json.at("add_cross_attention").fail("is false, expected true", "check config.json");
  if (json.int_or("cross_attention_freq", 1) != 1) {
    json.at("cross_attention_freq")
        .fail(fmt::format("is {}, expected 1: every layer reads the sound",
                          json.at("cross_attention_freq").as_int()),
              "check config.json");
  }
  if (config.width % config.heads != 0) {
    json.fail(fmt::format("hidden_size {} is not a multiple of num_attention_heads {}",
                          config.width, config.heads),
              "check hidden_size and num_attention_heads");
  }
  return config;
}

WindowQFormer::Attention::Attention(const WindowQFormerConfig& c, std::int64_t source_width)
    : heads(c.heads),
      query(c.width, c.width, true),
      key(source_width, c.width, true),
      value(source_width, c.width, true),
      dense(c.width, c.width, true),
      norm(c.width, c.epsilon) {}

void WindowQFormer::Attention::visit(Scope scope) {
  query.visit(scope / "self" / "query");
  key.visit(scope / "self" / "key");
  value.visit(scope / "self" / "value");
  dense.visit(scope / "output" / "dense");
  norm.visit(scope / "output" / "LayerNorm");
}

Tensor WindowQFormer::Attention::operator()(const Tensor& hidden, const Tensor& source) const {
  const std::int64_t head_dim = hidden.size(2) / heads;
  const auto by_head = [&](const Tensor& x) {  // -> [windows, heads, positions, head_dim]
    return x.view({x.size(0), x.size(1), heads, head_dim}).transpose(1, 2);
  };
  const Tensor attended = grouped_query_attention(by_head(query(hidden)), by_head(key(source)),
                                                  by_head(value(source)), /*causal=*/false);
  return norm(dense(attended.transpose(1, 2).flatten(2)) + hidden);
}

WindowQFormer::Layer::Layer(const WindowQFormerConfig& c)
    : self_attention(c, c.width),
      cross_attention(c, c.encoder_width),
      intermediate(c.width, c.intermediate, true),
      output(c.intermediate, c.width, true),
      norm(c.width, c.epsilon) {}

void WindowQFormer::Layer::visit(Scope scope) {
  self_attention.visit(scope / "attention");
  cross_attention.visit(scope / "crossattention");
  intermediate.visit(scope / "intermediate_query" / "dense");
  output.visit(scope / "output_query" / "dense");
  norm.visit(scope / "output_query" / "LayerNorm");
}

Tensor WindowQFormer::Layer::operator()(const Tensor& hidden, const Tensor& windows) const {
  const Tensor x = cross_attention(self_attention(hidden, hidden), windows);
  return norm(output(exact_gelu(intermediate(x))) + x);
}

WindowQFormer::WindowQFormer(const WindowQFormerConfig& c)
    : config_(c), query_norm_(c.width, c.epsilon) {
  for (std::int64_t i = 0; i < c.layers; ++i) layers_.emplace_back(c);
}

void WindowQFormer::visit(Scope scope) {
  query_norm_.visit(scope / "bert" / "embeddings" / "LayerNorm");
  for (std::size_t i = 0; i < layers_.size(); ++i)
    layers_[i].visit(scope / "bert" / "encoder" / "layer" / static_cast<std::int64_t>(i));
}

Tensor WindowQFormer::run_windows(const Tensor& windows, const Tensor& query,
                                  const BlockSink& after_block) const {
  Tensor hidden = query_norm_(query).expand({windows.size(0), -1, -1}).contiguous();
  if (after_block) after_block(0, hidden);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    if (recompute_) {
      std::vector<Tensor> read = weights_of(layer);
      read.push_back(windows);  // its gradient is asked for as a weight's is
      hidden = recomputed([&layer, windows](const Tensor& in) { return layer(in, windows); },
                          hidden, read);
    } else {
      hidden = layer(hidden, windows);
    }
    if (after_block) after_block(static_cast<std::int64_t>(i) + 1, hidden);
  }
  return hidden;
}

Tensor WindowQFormer::operator()(const Tensor& encoded, const Tensor& query,
                                 const BlockSink& after_block) const {
  expect_shape(encoded, "encoded", {kAny, kAny, config_.encoder_width});
  expect_shape(query, "query", {1, config_.queries, config_.width});
  const std::int64_t chunks = encoded.size(0), time = encoded.size(1),
                     per_chunk = config_.windows(time), count = chunks * per_chunk,
                     length = config_.window(time);
  const at::ScalarType type = query_norm_.weight.scalar_type();
  if (count == 0) {
    return at::empty({chunks, per_chunk, config_.queries, config_.width},
                     encoded.options().dtype(type));
  }
  const Tensor windows = encoded.to(type)
                             .unfold(1, length, config_.stride(time))  // positions come last
                             .transpose(2, 3)
                             .reshape({count, length, config_.encoder_width});
  const bool whole = at::GradMode::is_enabled() || static_cast<bool>(after_block);
  const std::int64_t step = whole ? count : kWindowsAtATime;
  std::vector<Tensor> outputs;
  for (std::int64_t begin = 0; begin < count; begin += step) {
    outputs.push_back(run_windows(windows.slice(0, begin, std::min(count, begin + step)),
                                  query.to(type), after_block));
  }
  return at::cat(outputs, 0).view({chunks, per_chunk, config_.queries, config_.width});
}

double flops(const WindowQFormerConfig& c, std::int64_t chunks, std::int64_t time) {
  const auto width = static_cast<double>(c.width), queries = static_cast<double>(c.queries),
             length = static_cast<double>(c.window(time));
  const double linears =
      2 * queries * (6 * width * width + 2 * width * static_cast<double>(c.intermediate));
  const double source = 2 * length * 2 * width * static_cast<double>(c.encoder_width);
  const double attention = 4 * width * queries * (queries + length);
  return static_cast<double>(chunks * c.windows(time) * c.layers) * (linears + source + attention);
}

}  // namespace tarsier
