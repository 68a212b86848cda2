#pragma once

#include <span>

#include "tarsier/models/video_language_model.h"
#include "tarsier/train/batch.h"
#include "tarsier/train/optimizer/optimizer.h"

namespace tarsier {

/// How often a step goes through each part of the model, once forward counted as 1. Backward adds
/// the gradient of the weights, for the share of them that learns, and that of the inputs where
/// something before them learns. What `recompute` does twice counts once: it teaches nothing.
struct PassCounts {
  double tower = 1, decoder = 1, head = 1;
};

/// Of weights that require gradients or do not.
PassCounts pass_counts(std::span<const Optimizer::Parameter> parameters);

/// The model's arithmetic for one micro-batch, a multiply-add counted as 2. `decodes`: its tokens
/// go through the decoder; `speaks`: and its targets through the head.
double step_flops(const VideoLanguageModel& model, const Batch& batch, const PassCounts& passes,
                  bool decodes, bool speaks);

}  // namespace tarsier
