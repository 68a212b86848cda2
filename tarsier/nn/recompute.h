#pragma once

#include <functional>
#include <vector>

#include "tarsier/nn/lora.h"
#include "tarsier/nn/parameters.h"
#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// A part of a network as a function of its input alone; what else it reads, it holds.
using Part = std::function<Tensor(const Tensor& x)>;

/// part(x) of which a gradient keeps x alone (training.md 12): backward runs the part again and
/// differentiates that. `weights` are all the weights it reads; those that are frozen cost nothing.
/// Output and gradients have the bits of a plain call: forward is the same computation, its inside
/// freed at its end. Several threads may differentiate results over the same weights. The part is
/// kept until backward has run, and with it whatever it holds. Differentiable once. Without
/// gradients a plain call.
Tensor recomputed(const Part& part, const Tensor& x, const std::vector<Tensor>& weights);

/// The weights of a layer, by its visit(), and those of low-rank changes that stand beside them.
template <class Layer>
std::vector<Tensor> weights_of(Layer layer) {  // a copy holds the same tensors
  std::vector<Tensor> weights;
  const TensorVisitor keep = [&](const std::string&, Tensor& weight) {
    weights.push_back(weight);
    if (const LoraDelta* lora = lora_of(weight)) weights.insert(weights.end(), {lora->a, lora->b});
  };
  layer.visit(Scope(keep));
  return weights;
}

}  // namespace tarsier
