#pragma once

#include "tarsier/models/causal_decoder.h"
#include "tarsier/models/towers/qwen2_vl_vit.h"
#include "tarsier/processors/patch_grid.h"

namespace tarsier {

// Arithmetic of one pass forward, a multiply-add counted as 2 (models-tarsier.md 8).

/// Patches of one image or video to media tokens.
double vision_flops(const Qwen2VlVitConfig& vision, const PatchGrid& grid);
/// The largest tensors of the tower that are alive at once, in bytes: an estimate, for plans.
std::int64_t vision_activation_bytes(const Qwen2VlVitConfig& vision, const PatchGrid& grid,
                                     std::int64_t element_bytes);
/// `tokens` through every layer; `pairs` counts, over all tokens, the keys each attends to.
double decoder_flops(const DecoderConfig& decoder, double tokens, double pairs);
/// `rows` of logits.
double head_flops(const DecoderConfig& decoder, double rows);

}  // namespace tarsier
