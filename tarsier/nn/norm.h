#pragma once

#include <cstdint>

#include "tarsier/nn/parameters.h"

namespace tarsier {

/// weight * cast(x / sqrt(mean(x^2) + epsilon)): statistics in f32, the cast before the weight, as
/// Qwen2RMSNorm.
struct RmsNorm {
  Tensor weight;  // [width]
  double epsilon;

  RmsNorm(std::int64_t width, double epsilon);
  Tensor operator()(const Tensor& x) const;  // [..., width] -> the same shape and type
  void visit(Scope scope);
};

/// Layer normalisation with weight and bias over the last axis.
struct LayerNorm {
  Tensor weight, bias;  // [width]
  double epsilon;

  LayerNorm(std::int64_t width, double epsilon);
  Tensor operator()(const Tensor& x) const;
  void visit(Scope scope);
};

}  // namespace tarsier
