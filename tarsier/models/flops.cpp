#include "tarsier/models/flops.h"

#include <cmath>

namespace tarsier {
namespace {

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
