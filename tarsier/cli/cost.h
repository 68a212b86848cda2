#pragma once

#include <cstdint>

#include "tarsier/models/causal_decoder.h"

namespace tarsier {

/// Arithmetic of one clip, a multiply-add counted as 2 (models-tarsier.md 8).
struct ClipFlops {
  double vision = 0;         // patches to media tokens
  double prefill = 0;        // the prompt through the decoder, and one row of logits
  double per_new_token = 0;  // behind the whole prompt
};
ClipFlops clip_flops(const DecoderConfig& decoder, double vision, std::int64_t prompt_tokens);

/// The largest tensors that are alive at once, in bytes: an estimate, for plans.
std::int64_t prefill_activation_bytes(const DecoderConfig& decoder, std::int64_t prompt_tokens,
                                      std::int64_t element_bytes);

}  // namespace tarsier
