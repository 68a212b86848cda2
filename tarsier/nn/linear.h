#pragma once

#include <cstdint>

#include "tarsier/nn/parameters.h"

namespace tarsier {

/// A dense layer, y = x W^T + b. Built on the meta device; a loader fills it.
struct Linear {
  Tensor weight;  // [out_features, in_features]
  Tensor bias;    // [out_features], undefined when there is none

  Linear(std::int64_t in_features, std::int64_t out_features, bool has_bias);
  Tensor operator()(
      const Tensor& x) const;  // [..., in_features] -> [..., out_features], in x's type
  void visit(Scope scope);
};

/// x W^T + b. On a CPU, 16-bit weights are widened to f32 a panel of rows at a time: products and
/// sums are f32, the result is rounded once to x's type, and no whole f32 copy of the weight ever
/// exists. Training multiplies f32 as mixed_linear.h says.
Tensor apply_linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

}  // namespace tarsier
