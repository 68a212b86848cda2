#pragma once

#include <cstdint>

#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// Values of a row that share a scale.
constexpr std::int64_t kInt8Block = 64;

/// A frozen weight in 8 bits, as training of an adapter keeps what it does not change (QLoRA's
/// frozen base, with 8 bits for its 4): each block of a row is its largest magnitude / 127 times
/// whole numbers, so a value is off by 1/254 of that magnitude at most. 8.5 bits a value.
/// weight [out_features, in_features] of any float type -> i8 of the same shape and device, with
/// its scales beside it; apply_linear multiplies by what it stands for. Has no gradient.
Tensor int8_weight(const Tensor& weight);

bool is_int8(const Tensor& weight);

/// What it stands for, f32: a whole copy.
Tensor widened(const Tensor& weight);

/// x W^T + b, x [..., in_features] of any float type, the result of the same. The weight is widened
/// a panel of rows at a time, forward and backward: no whole copy of it ever exists. Products as
/// apply_linear's of a weight of x's type. Differentiable once, with respect to x and bias.
Tensor int8_linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

}  // namespace tarsier
