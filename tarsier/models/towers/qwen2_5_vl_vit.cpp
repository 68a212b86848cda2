#include "tarsier/models/towers/qwen2_5_vl_vit.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "tarsier/base/error.h"
#include "tarsier/nn/activation.h"
#include "tarsier/nn/recompute.h"
#include "tarsier/tensor/shape.h"

namespace tarsier {
namespace {

double real(std::int64_t value) { return static_cast<double>(value); }

AttentionLayout roots(std::vector<std::int64_t> ends) {
  std::vector<std::int64_t> parents(ends.size(), -1);
  return {std::move(ends), std::move(parents), /*causal=*/false};
}

}  // namespace

bool Qwen2_5VlVitConfig::is_full(std::int64_t block) const {
  return std::ranges::find(full_attention_blocks, block) != full_attention_blocks.end();
}

Qwen2_5VlVitConfig qwen2_5_vl_vit_config(const JsonView& json, std::int64_t decoder_hidden_size) {
  Qwen2_5VlVitConfig config;
  const auto read = [&](const char* key, std::int64_t& value, std::int64_t high) {
    if (json.has(key)) value = json.at(key).as_int(1, high);
  };
  config.hidden_size = decoder_hidden_size;
  read("depth", config.depth, 1000);
  read("hidden_size", config.width, 1 << 20);
  read("intermediate_size", config.intermediate, 1 << 20);
  read("out_hidden_size", config.hidden_size, 1 << 20);
  read("num_heads", config.heads, 4096);
  read("in_channels", config.channels, 16);
  read("in_chans", config.channels, 16);
  read("patch_size", config.patch_size, 1024);
  read("spatial_patch_size", config.patch_size, 1024);
  read("spatial_merge_size", config.merge_size, 16);
  read("temporal_patch_size", config.temporal_patch_size, 16);
  read("window_size", config.window_size, 1 << 16);
  if (json.has("fullatt_block_indexes")) {
    const JsonView blocks = json.at("fullatt_block_indexes");
    config.full_attention_blocks.clear();
    // Shallow models are written with the indices of deep ones, which then name no block.
    for (std::int64_t i = 0; i < blocks.size(); ++i)
      config.full_attention_blocks.push_back(blocks.at(i).as_int(0, 1000));
  }
  if (config.width % config.heads != 0 || (config.width / config.heads) % 4 != 0) {
    json.fail(fmt::format("hidden_size {} gives heads of {} / {} values, expected a multiple of 4",
                          config.width, config.width, config.heads),
              "check hidden_size and num_heads");
  }
  if (config.window_side() < 1) {
    json.fail(fmt::format("window_size {} holds no merged token of {} x {} pixels",
                          config.window_size, config.merge_size, config.patch_size),
              "check window_size, spatial_merge_size and patch_size");
  }
  const std::string activation = json.string_or("hidden_act", "silu");
  if (activation != "silu")
    json.at("hidden_act")
        .fail(fmt::format("is '{}', expected 'silu'", activation), "check config.json");
  if (config.hidden_size != decoder_hidden_size) {
    json.at("out_hidden_size")
        .fail(fmt::format("is {}, expected the decoder's hidden_size {}", config.hidden_size,
                          decoder_hidden_size),
              "check config.json");
  }
  return config;
}

WindowOrder window_order(std::int64_t height, std::int64_t width, std::int64_t side) {
  WindowOrder order;
  for (std::int64_t top = 0; top < height; top += side) {
    for (std::int64_t left = 0; left < width; left += side) {
      for (std::int64_t y = top; y < std::min(top + side, height); ++y) {
        for (std::int64_t x = left; x < std::min(left + side, width); ++x)
          order.tokens.push_back(y * width + x);
      }
      order.ends.push_back(static_cast<std::int64_t>(order.tokens.size()));
    }
  }
  return order;
}

Qwen2_5VlVit::Block::Block(const Qwen2_5VlVitConfig& c)
    : norm1(c.width, 1e-6),
      norm2(c.width, 1e-6),
      qkv(c.width, 3 * c.width, true),
      projection(c.width, c.width, true),
      gate(c.width, c.intermediate, true),
      up(c.width, c.intermediate, true),
      down(c.intermediate, c.width, true) {}

void Qwen2_5VlVit::Block::visit(Scope scope) {
  norm1.visit(scope / "norm1");
  norm2.visit(scope / "norm2");
  qkv.visit(scope / "attn" / "qkv");
  projection.visit(scope / "attn" / "proj");
  gate.visit(scope / "mlp" / "gate_proj");
  up.visit(scope / "mlp" / "up_proj");
  down.visit(scope / "mlp" / "down_proj");
}

Qwen2_5VlVit::Qwen2_5VlVit(const Qwen2_5VlVitConfig& c)
    : config_(c),
      patch_projection_(
          meta_tensor({c.width, c.channels, c.temporal_patch_size, c.patch_size, c.patch_size})),
      merger_norm_(c.width, 1e-6),
      merger_(c.width, c.merge_size, c.hidden_size) {
  for (std::int64_t i = 0; i < c.depth; ++i) blocks_.emplace_back(c);
}

void Qwen2_5VlVit::visit(Scope scope) {
  (scope / "patch_embed" / "proj")("weight", patch_projection_);
  for (std::size_t i = 0; i < blocks_.size(); ++i)
    blocks_[i].visit(scope / "blocks" / static_cast<std::int64_t>(i));
  merger_norm_.visit(scope / "merger" / "ln_q");
  merger_.visit(scope / "merger");
}

Qwen2_5VlVit::Run Qwen2_5VlVit::make_run(const std::vector<SliceShape>& slices,
                                         const at::Device& device) const {
  struct Shape {
    std::vector<std::int64_t> window_ends;  // in patches
    Tensor order, place;
    RotaryAngles angles;
  };
  const std::int64_t merge = config_.merge_size, merged = merge * merge;
  std::map<SliceShape, Shape> shapes;
  std::vector<std::int64_t> slice_ends, window_ends;
  std::vector<Tensor> order, place, cosine, sine;
  std::int64_t begin = 0;
  for (const SliceShape& slice : slices) {
    const auto [found, is_new] = shapes.try_emplace(slice);
    Shape& shape = found->second;
    if (is_new) {
      const WindowOrder windows =
          window_order(slice.height / merge, slice.width / merge, config_.window_side());
      for (const std::int64_t end : windows.ends) shape.window_ends.push_back(end * merged);
      const Tensor tokens = at::tensor(windows.tokens, at::kLong);
      // The patches of a merged token are consecutive.
      shape.order = (tokens.unsqueeze(1) * merged + at::arange(merged)).flatten();
      shape.place = tokens.argsort();
      const RotaryAngles angles =
          vision_angles(slice.height, slice.width, merge, config_.width / config_.heads);
      shape.angles = {angles.cosine.index_select(0, shape.order),
                      angles.sine.index_select(0, shape.order)};
    }
    for (const std::int64_t end : shape.window_ends) window_ends.push_back(begin + end);
    order.push_back(shape.order + begin);
    place.push_back(shape.place + begin / merged);
    cosine.push_back(shape.angles.cosine);
    sine.push_back(shape.angles.sine);
    slice_ends.push_back(begin += slice.patches());
  }
  return {at::cat(order).to(device),
          at::cat(place).to(device),
          {at::cat(cosine).to(device), at::cat(sine).to(device)},
          SegmentAttention(roots(std::move(slice_ends)), device),
          SegmentAttention(roots(std::move(window_ends)), device)};
}

Tensor Qwen2_5VlVit::run_block(const Block& block, const Tensor& x,
                               const SegmentAttention& attention,
                               const RotaryAngles& angles) const {
  const Tensor attended =
      attend_rotated(block.qkv(block.norm1(x)), config_.heads, attention, angles);
  const Tensor y = x + block.projection(attended);
  const Tensor normed = block.norm2(y);
  return y + block.down(swiglu(block.gate(normed), block.up(normed)));
}

Tensor Qwen2_5VlVit::run_slices(const Tensor& pixels, const std::vector<SliceShape>& slices,
                                const BlockSink& after_block) const {
  // Shared, since with recompute the blocks need it in backward too.
  const auto run = std::make_shared<const Run>(make_run(slices, pixels.device()));
  Tensor x = embed_patches(pixels, patch_projection_).index_select(0, run->order);
  if (after_block) after_block(0, x);
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const auto index = static_cast<std::int64_t>(i);
    const bool full = config_.is_full(index);
    const Block& block = blocks_[i];
    const Part part = [this, &block, full, run](const Tensor& in) {
      return run_block(block, in, full ? run->full : run->windows, run->angles);
    };
    x = recompute_ ? recomputed(part, x, weights_of(block)) : part(x);
    if (after_block) after_block(index + 1, x);
  }
  return merger_(merger_norm_(x)).index_select(0, run->place);
}

Tensor Qwen2_5VlVit::operator()(const Tensor& pixels, const Tensor& grid,
                                const BlockSink& after_block) const {
  expect_shape(pixels, "pixels", {kAny, config_.patch_values()});
  const std::vector<SliceShape> slices = slices_of(grid);
  const bool whole = at::GradMode::is_enabled() || static_cast<bool>(after_block);
  std::vector<Tensor> outputs;
  std::int64_t begin = 0;
  for (std::size_t first = 0; first < slices.size();) {
    const std::size_t next = whole ? slices.size() : end_of_run(slices, first);
    const std::vector<SliceShape> run(slices.begin() + static_cast<std::ptrdiff_t>(first),
                                      slices.begin() + static_cast<std::ptrdiff_t>(next));
    std::int64_t end = begin;
    for (const SliceShape& slice : run) end += slice.patches();
    check(end <= pixels.size(0), "the grid holds no more patches than there are");
    outputs.push_back(run_slices(pixels.slice(0, begin, end), run, after_block));
    begin = end;
    first = next;
  }
  check(begin == pixels.size(0), "the grid covers every patch");
  return at::cat(outputs, 0);
}

double flops(const Qwen2_5VlVitConfig& c, const PatchGrid& grid) {
  const double patches = real(grid.patches()), width = real(c.width), slices = real(grid.time),
               merged = width * real(c.merge_size * c.merge_size);
  const double embedding = patches * 2 * real(c.patch_values()) * width;
  const double linears =
      patches * real(c.depth) * 2 * (4 * width * width + 3 * width * real(c.intermediate));
  const double merger =
      real(grid.media_tokens(c.merge_size)) * 2 * (merged * merged + merged * real(c.hidden_size));
  const auto pairs = [&](std::vector<std::int64_t> ends) {
    return slices * attended_pairs(roots(std::move(ends)));
  };
  WindowOrder windows =
      window_order(grid.height / c.merge_size, grid.width / c.merge_size, c.window_side());
  for (std::int64_t& end : windows.ends) end *= c.merge_size * c.merge_size;
  const double of_windows = pairs(windows.ends), of_slices = pairs({grid.height * grid.width});
  double attention = 0;
  for (std::int64_t i = 0; i < c.depth; ++i)
    attention += 4 * width * (c.is_full(i) ? of_slices : of_windows);
  return embedding + linears + attention + merger;
}

}  // namespace tarsier
