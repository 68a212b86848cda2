#pragma once

#include "tarsier/tensor/tensor.h"

namespace tarsier {

struct NextToken {
  Tensor loss;      // scalar: weighted sum of -log p over the targets, divided by `weight_sum`
  double accuracy;  // share of targets whose likeliest token is right, unweighted
};

/// logits f32 [targets, vocab], labels i64 [targets], weights f32 [targets] (training.md 10.2: the
/// mean is over all targets of a step, so `weight_sum` counts every micro-batch of it).
NextToken next_token(const Tensor& logits, const Tensor& labels, const Tensor& weights,
                     double weight_sum);

}  // namespace tarsier
