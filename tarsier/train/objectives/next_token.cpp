#include "tarsier/train/objectives/next_token.h"

#include <ATen/ATen.h>

namespace tarsier {

NextToken next_token(const Tensor& logits, const Tensor& labels, const Tensor& weights,
                     double weight_sum) {
  const Tensor losses = at::cross_entropy_loss(logits, labels, {}, at::Reduction::None);
  const Tensor right = logits.detach().argmax(-1).eq(labels);
  return {(losses * weights).sum() / weight_sum, right.to(at::kFloat).mean().item<double>()};
}

}  // namespace tarsier
