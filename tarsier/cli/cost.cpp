#include "tarsier/cli/cost.h"

#include <algorithm>

#include "tarsier/models/flops.h"

namespace tarsier {
namespace {

// As the backend divides its work.
constexpr std::int64_t kPrefillChunkTokens = 512;
constexpr std::int64_t kScoreBytes = 4;  // scores are f32

double real(std::int64_t value) { return static_cast<double>(value); }

}  // namespace

ClipFlops clip_flops(const DecoderConfig& d, double vision, std::int64_t prompt_tokens) {
  const double tokens = real(prompt_tokens);
  return {vision, decoder_flops(d, tokens, tokens * tokens / 2) + head_flops(d, 1),
          decoder_flops(d, 1, tokens) + head_flops(d, 1)};
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
