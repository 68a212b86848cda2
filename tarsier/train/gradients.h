#pragma once

#include <vector>

#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// The gradient of a scalar for each of `weights`; undefined where the scalar does not depend on
/// one or it is frozen. Leaves no trace on the weights, so several threads may each differentiate
/// their own scalar of the same weights.
std::vector<Tensor> gradients_of(const Tensor& scalar, const std::vector<Tensor>& weights);

}  // namespace tarsier
