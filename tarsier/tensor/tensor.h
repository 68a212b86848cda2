#pragma once

#include <ATen/core/Tensor.h>

namespace tarsier {

/// A shared handle to an n-dimensional array: copying it copies no numbers.
using Tensor = at::Tensor;

}  // namespace tarsier
