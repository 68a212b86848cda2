#include "tarsier/models/flops.h"

#include <algorithm>
#include <cmath>

namespace tarsier {
namespace {

// As the tower and attention divide their work.
constexpr std::int64_t kVisionChunkPatches = 8192, kQueryChunk = 512;
constexpr std::int64_t kScoreBytes = 4;  // scores are f32

double real(std::int64_t value) { return static_cast<double>(value); }

}  // namespace

double vision_flops(const Qwen2VlVitConfig& v, const PatchGrid& grid) {
  const double patches = real(grid.patches()), per_slice = real(grid.height * grid.width);
  const double width = real(v.embed_dim), inner = std::floor(width * v.mlp_ratio),
               merged = width * real(v.merge_size * v.merge_size);
  const double embedding = patches * 2 * real(v.patch_values()) * width;
  const double linears =
      patches * real(v.depth) * 2 * (width * 3 * width + width * width + 2 * width * inner);
  const double attention = patches * real(v.depth) * 4 * width * per_slice;
  const double merger =
      real(grid.media_tokens(v.merge_size)) * 2 * (merged * merged + merged * real(v.hidden_size));
  return embedding + linears + attention + merger;
}

std::int64_t vision_activation_bytes(const Qwen2VlVitConfig& v, const PatchGrid& grid,
                                     std::int64_t element_bytes) {
  const std::int64_t per_slice = grid.height * grid.width;
  if (per_slice == 0) return 0;
  const std::int64_t slices =
                         std::clamp<std::int64_t>(kVisionChunkPatches / per_slice, 1, grid.time),
                     patches = slices * per_slice;
  const auto inner = static_cast<std::int64_t>(real(v.embed_dim) * v.mlp_ratio);
  // Beside the stream and its norm, either q, k and v with their rotated copies and the scores, or
  // both MLP widths.
  const std::int64_t stream = 2 * patches * v.embed_dim * element_bytes;
  const std::int64_t attention =
      patches * v.embed_dim * (3 * element_bytes + 3 * kScoreBytes) +
      2 * slices * v.heads * std::min(per_slice, kQueryChunk) * per_slice * kScoreBytes;
  const std::int64_t outputs = grid.patches() * v.embed_dim * element_bytes;
  return outputs + stream + std::max(attention, 2 * patches * inner * element_bytes);
}

double decoder_flops(const DecoderConfig& d, double tokens, double pairs) {
  const double hidden = real(d.hidden_size), heads = real(d.heads * d.head_dim);
  const double linears = 2 * (hidden * (heads + 2 * real(d.kv_heads * d.head_dim)) +
                              heads * hidden + 3 * hidden * real(d.intermediate_size));
  return real(d.layers) * (linears * tokens + 4 * heads * pairs);
}

double head_flops(const DecoderConfig& d, double rows) {
  return 2 * real(d.vocab_size) * real(d.hidden_size) * rows;
}

}  // namespace tarsier
