#include "tarsier/train/gradients.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

namespace tarsier {

std::vector<Tensor> gradients_of(const Tensor& scalar, const std::vector<Tensor>& weights) {
  std::vector<Tensor> learning;
  for (const Tensor& weight : weights) {
    if (weight.requires_grad()) learning.push_back(weight);
  }
  const std::vector<Tensor> found =
      torch::autograd::grad({scalar}, learning, /*grad_outputs=*/{}, /*retain_graph=*/std::nullopt,
                            /*create_graph=*/false, /*allow_unused=*/true);
  std::vector<Tensor> gradients(weights.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i].requires_grad()) gradients[i] = found[next++];
  }
  return gradients;
}

}  // namespace tarsier
