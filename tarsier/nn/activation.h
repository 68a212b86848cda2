#pragma once

#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// silu(gate) * up for gate and up of one shape, in their type.
Tensor swiglu(const Tensor& gate, const Tensor& up);

/// x * sigmoid(1.702 x), in x's type.
Tensor quick_gelu(const Tensor& x);

/// x Phi(x) by the error function, in x's type.
Tensor exact_gelu(const Tensor& x);

/// x Phi(x) by its approximation with tanh, in x's type.
Tensor tanh_gelu(const Tensor& x);

}  // namespace tarsier
