#pragma once

#include "tarsier/tensor/tensor.h"

namespace tarsier {

struct NextToken {
  Tensor loss;      // scalar: weighted sum of -log p over the targets, divided by `weight_sum`
  double accuracy;  // share of targets whose likeliest token is right, unweighted
};

/// The loss of hidden [targets, hidden] read by a head [vocab, hidden], for labels i64 [targets]
/// with weights f32 [targets] (training.md 10.2: the mean is over all targets of a step, so
/// `weight_sum` counts every micro-batch of it). Logits exist for `chunk` rows at a time: with a
/// large vocabulary those of a whole batch would outweigh the model (training.md 12). The gradient
/// is worked out in the same pass, while a chunk's logits are there. Differentiable once.
NextToken next_token(const Tensor& hidden, const Tensor& head, const Tensor& labels,
                     const Tensor& weights, double weight_sum, std::int64_t chunk);

/// log p of each label by itself, f32 [targets] (f64 where hidden is), without gradients.
Tensor token_log_probs(const Tensor& hidden, const Tensor& head, const Tensor& labels,
                       std::int64_t chunk);

}  // namespace tarsier
