#include "tarsier/cli/cost.h"

#include <algorithm>

#include "tarsier/models/flops.h"

namespace tarsier {
namespace {

// As the tower and the backend divide their work.
constexpr std::int64_t kVisionChunkPatches = 8192, kPrefillChunkTokens = 512, kQueryChunk = 512;
constexpr std::int64_t kScoreBytes = 4;  // scores are f32

double real(std::int64_t value) { return static_cast<double>(value); }

}  // namespace

ClipFlops clip_flops(const Qwen2VlVitConfig& v, const DecoderConfig& d, const PatchGrid& grid,
                     std::int64_t prompt_tokens) {
  const double tokens = real(prompt_tokens);
  return {vision_flops(v, grid), decoder_flops(d, tokens, tokens * tokens / 2) + head_flops(d, 1),
          decoder_flops(d, 1, tokens) + head_flops(d, 1)};
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

std::int64_t prefill_activation_bytes(const DecoderConfig& d, std::int64_t prompt_tokens,
                                      std::int64_t element_bytes) {
  const std::int64_t tokens = std::min(prompt_tokens, kPrefillChunkTokens);
  const std::int64_t stream = 3 * tokens * d.hidden_size * element_bytes;
  const std::int64_t attention = 2 * d.heads * tokens * prompt_tokens * kScoreBytes +
                                 3 * tokens * d.heads * d.head_dim * element_bytes;
  return stream + std::max(attention, 3 * tokens * d.intermediate_size * element_bytes) +
         d.vocab_size * kScoreBytes;
}

}  // namespace tarsier
