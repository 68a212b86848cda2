#include "tarsier/models/towers/qwen2_vl_vit.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <map>
#include <memory>

#include "tarsier/base/error.h"
#include "tarsier/nn/activation.h"
#include "tarsier/nn/recompute.h"
#include "tarsier/tensor/shape.h"

namespace tarsier {
Qwen2VlVitConfig qwen2_vl_vit_config(const JsonView& json, std::int64_t decoder_hidden_size) {
  Qwen2VlVitConfig config;
  const auto read = [&](const char* key, std::int64_t& value, std::int64_t high) {
    if (json.has(key)) value = json.at(key).as_int(1, high);
  };
  config.hidden_size = decoder_hidden_size;
  read("depth", config.depth, 1000);
  read("embed_dim", config.embed_dim, 1 << 20);
  read("hidden_size", config.hidden_size, 1 << 20);
  read("num_heads", config.heads, 4096);
  read("in_channels", config.channels, 16);
  read("in_chans", config.channels, 16);
  read("patch_size", config.patch_size, 1024);
  read("spatial_patch_size", config.patch_size, 1024);
  read("spatial_merge_size", config.merge_size, 16);
  read("temporal_patch_size", config.temporal_patch_size, 16);
  config.mlp_ratio = json.double_or("mlp_ratio", 4);
  if (config.embed_dim % config.heads != 0 || (config.embed_dim / config.heads) % 4 != 0) {
    json.fail(fmt::format("embed_dim {} gives heads of {} / {} values, expected a multiple of 4",
                          config.embed_dim, config.embed_dim, config.heads),
              "check embed_dim and num_heads");
  }
  const std::string activation = json.string_or("hidden_act", "quick_gelu");
  if (activation != "quick_gelu")
    json.at("hidden_act")
        .fail(fmt::format("is '{}', expected 'quick_gelu'", activation), "check config.json");
  if (config.hidden_size != decoder_hidden_size) {
    json.at("hidden_size")
        .fail(fmt::format("is {}, expected the decoder's hidden_size {}", config.hidden_size,
                          decoder_hidden_size),
              "check config.json");
  }
  return config;
}

Qwen2VlVit::Block::Block(const Qwen2VlVitConfig& c)
    : norm1(c.embed_dim, 1e-6),
      norm2(c.embed_dim, 1e-6),
      qkv(c.embed_dim, 3 * c.embed_dim, true),
      projection(c.embed_dim, c.embed_dim, true),
      fc1(c.embed_dim, static_cast<std::int64_t>(static_cast<double>(c.embed_dim) * c.mlp_ratio),
          true),
      fc2(static_cast<std::int64_t>(static_cast<double>(c.embed_dim) * c.mlp_ratio), c.embed_dim,
          true) {}

void Qwen2VlVit::Block::visit(Scope scope) {
  norm1.visit(scope / "norm1");
  norm2.visit(scope / "norm2");
  qkv.visit(scope / "attn" / "qkv");
  projection.visit(scope / "attn" / "proj");
  fc1.visit(scope / "mlp" / "fc1");
  fc2.visit(scope / "mlp" / "fc2");
}

Qwen2VlVit::Qwen2VlVit(const Qwen2VlVitConfig& c)
    : config_(c),
      patch_projection_(meta_tensor(
          {c.embed_dim, c.channels, c.temporal_patch_size, c.patch_size, c.patch_size})),
      merger_norm_(c.embed_dim, 1e-6),
      merger_(c.embed_dim, c.merge_size, c.hidden_size) {
  for (std::int64_t i = 0; i < c.depth; ++i) blocks_.emplace_back(c);
}

void Qwen2VlVit::visit(Scope scope) {
  (scope / "patch_embed" / "proj")("weight", patch_projection_);
  for (std::size_t i = 0; i < blocks_.size(); ++i)
    blocks_[i].visit(scope / "blocks" / static_cast<std::int64_t>(i));
  merger_norm_.visit(scope / "merger" / "ln_q");
  merger_.visit(scope / "merger");
}

Tensor Qwen2VlVit::run_block(const Block& block, const Tensor& x, const SegmentAttention& attention,
                             const RotaryAngles& angles) const {
  const Tensor attended =
      attend_rotated(block.qkv(block.norm1(x)), config_.heads, attention, angles);
  const Tensor y = x + block.projection(attended);
  return y + block.fc2(quick_gelu(block.fc1(block.norm2(y))));
}

Tensor Qwen2VlVit::run_frames(const Tensor& pixels, const std::vector<std::int64_t>& ends,
                              const RotaryAngles& angles, const BlockSink& after_block) const {
  // Shared, since with recompute the blocks need it in backward too.
  const auto attention = std::make_shared<const SegmentAttention>(
      AttentionLayout{ends, std::vector<std::int64_t>(ends.size(), -1), /*causal=*/false},
      pixels.device());
  Tensor x = embed_patches(pixels, patch_projection_);
  if (after_block) after_block(0, x);
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const Block& block = blocks_[i];
    if (recompute_) {
      x = recomputed([this, &block, attention, angles](
                         const Tensor& in) { return run_block(block, in, *attention, angles); },
                     x, weights_of(block));
    } else {
      x = run_block(block, x, *attention, angles);
    }
    if (after_block) after_block(static_cast<std::int64_t>(i) + 1, x);
  }
  return merger_(merger_norm_(x));
}

Tensor Qwen2VlVit::operator()(const Tensor& pixels, const Tensor& grid,
                              const BlockSink& after_block) const {
  expect_shape(pixels, "pixels", {kAny, config_.patch_values()});
  const std::vector<SliceShape> slices = slices_of(grid);
  const bool whole = at::GradMode::is_enabled() || static_cast<bool>(after_block);
  std::map<SliceShape, RotaryAngles> angles_by_shape;
  std::vector<Tensor> outputs;
  std::int64_t begin = 0;
  for (std::size_t first = 0; first < slices.size();) {
    const std::size_t next = whole ? slices.size() : end_of_run(slices, first);
    std::vector<std::int64_t> ends;
    std::vector<Tensor> cosine, sine;
    std::int64_t patches = 0;
    for (std::size_t i = first; i < next; ++i) {
      const auto [found, is_new] = angles_by_shape.try_emplace(slices[i]);
      if (is_new)
        found->second = vision_angles(slices[i].height, slices[i].width, config_.merge_size,
                                      config_.embed_dim / config_.heads);
      cosine.push_back(found->second.cosine);
      sine.push_back(found->second.sine);
      ends.push_back(patches += slices[i].patches());
    }
    const RotaryAngles angles{at::cat(cosine).to(pixels.device()),
                              at::cat(sine).to(pixels.device())};
    outputs.push_back(
        run_frames(pixels.slice(0, begin, begin + patches), ends, angles, after_block));
    begin += patches;
    first = next;
  }
  check(begin == pixels.size(0), "the grid covers every patch");
  return at::cat(outputs, 0);
}

}  // namespace tarsier
