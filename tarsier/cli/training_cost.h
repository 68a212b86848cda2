#pragma once

#include <cstdint>

#include "tarsier/models/causal_decoder.h"
#include "tarsier/models/towers/qwen2_vl_vit.h"
#include "tarsier/train/optimizer/optimizer.h"

namespace tarsier {

/// One training step, as a recipe describes it. Every weight learns.
struct TrainingShape {
  Qwen2VlVitConfig vision;
  DecoderConfig decoder;
  std::int64_t parameters = 0;
  std::int64_t element_bytes = 4;  // of a weight and an activation: 4, or 2 for bf16
  UpdateRule rule = UpdateRule::adamw;
  bool averages = false;        // `ema`
  bool recompute = false;       // layers and blocks keep their inputs alone
  std::int64_t clips = 1;       // of a micro-batch
  std::int64_t accumulate = 1;  // micro-batches of a step
  std::int64_t workers = 1;     // side by side
  std::int64_t logit_chunk = 2048;
  std::int64_t patches = 0;        // of a clip
  std::int64_t prompt_tokens = 0;  // of a clip: its media and what stands before them
  std::int64_t answer_tokens = 0;  // of a clip: questions and answers
  std::int64_t target_tokens = 0;  // of them, those that are learned
};

/// Bytes of a training step on one rank (training.md 12). What stays over all steps, what one
/// micro-batch adds, and the most that exists at once.
struct TrainingMemory {
  std::int64_t weights = 0;
  std::int64_t master = 0;   // f32 copies of 16-bit weights
  std::int64_t moments = 0;  // two of f32, whatever the rule
  std::int64_t averages = 0;
  std::int64_t pixels = 0;     // of the steps that are prepared ahead
  std::int64_t gradients = 0;  // those of the micro-batches under way, and their sum
  std::int64_t decoder_layer = 0, vision_block = 0;  // activations that one keeps
  std::int64_t activations = 0;                      // all that a micro-batch keeps
  std::int64_t logits = 0;                           // a chunk of the next-token loss
  std::int64_t peak = 0;
};
TrainingMemory training_memory(const TrainingShape& shape);

/// Arithmetic of a step: forward, twice that backward, and with recompute the forward of layers and
/// blocks again.
double training_flops(const TrainingShape& shape, double vision_forward, double decoder_forward);

}  // namespace tarsier
