#pragma once

#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// How training multiplies f32 matrices on a CPU: as they are, or rounded to bf16, with sums in f32
/// (what autocast does to a linear layer). Weights, activations and all else stay f32.
enum class LinearProducts { f32, bf16 };

/// For this whole process; set it before training starts. Inference always multiplies in f32.
void set_training_products(LinearProducts products);
LinearProducts training_products();
/// Whether x is multiplied so on this thread now: by training, f32 in the CPU's memory.
bool multiplies_in_bf16(const Tensor& x);

/// x [rows, width] f32 rounded to bf16, with rows of zeros behind it up to a multiple of 256.
Tensor rows_in_bf16(const Tensor& x);

/// x W^T + b with products in bf16, and so its gradients. x [..., in_features], weight
/// [out_features, in_features], bias [out_features] or undefined: f32 in the CPU's memory.
/// Differentiable once.
Tensor mixed_linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

}  // namespace tarsier
