#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tarsier/tensor/tensor.h"

namespace tarsier {

struct AdamwSettings {
  double rate = 1e-3, weight_decay = 0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
};

/// AdamW with decoupled decay (Loshchilov, Hutter 2019), one fused pass over weights and moments.
/// Moments and, for 16-bit weights, a master copy are f32. Decay falls on matrices only, not on
/// norms and biases.
class AdamW {
 public:
  struct Parameter {
    std::string path;
    Tensor weight;  // the model's own; 16-bit ones are refreshed from `master` after each step
    Tensor master;  // f32; the same tensor as `weight` when that is f32
    Tensor mean, variance;  // f32, moments of the gradient
    Tensor steps;           // f32 scalar: updates so far
  };

  void add(std::string path, const Tensor& weight);
  /// Applies the gradients scaled by `scale` to every parameter that has one, and clears them.
  void step(const AdamwSettings& settings, double scale);
  /// L2 norm of all gradients together.
  double gradient_norm() const;
  void clear_gradients();
  void reset_moments();

  std::vector<Parameter>& parameters() { return parameters_; }

 private:
  std::vector<Parameter> parameters_;
};

}  // namespace tarsier
