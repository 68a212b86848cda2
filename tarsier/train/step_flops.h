#pragma once

#include <span>
#include <string>
#include <vector>

#include "tarsier/models/video_language_model.h"
#include "tarsier/train/batch.h"

namespace tarsier {

/// How often a step goes through each part of the model, once forward counted as 1. Backward adds
/// the gradient of the weights, for the share of them that learns, and that of the inputs where
/// something before them learns. What `recompute` does twice counts once: it teaches nothing.
struct PassCounts {
  double tower = 1, decoder = 1, head = 1;
};

/// A weight as far as it matters for that.
struct WeightPart {
  std::string path;
  double values = 0, learning = 0;  // how many; those of an adapter beside it learn with it
};
std::vector<WeightPart> weights_in(VideoLanguageModel& model);

PassCounts pass_counts(std::span<const WeightPart> weights);

/// The model's arithmetic for one micro-batch, a multiply-add counted as 2. `decodes`: its tokens
/// go through the decoder; `speaks`: and its targets through the head.
double step_flops(const VideoLanguageModel& model, const Batch& batch, const PassCounts& passes,
                  bool decodes, bool speaks);

}  // namespace tarsier
