#pragma once

#include <span>

#include "tarsier/tensor/workers.h"
#include "tarsier/train/optimizer/optimizer.h"

namespace tarsier {

/// Muon (Jordan et al. 2024): momentum, made nearly orthogonal, is the update, so every direction
/// of a matrix learns at one rate. Scaled by sqrt(larger side), so that `rate` is the root mean
/// square of an entry's change, which is about what AdamW's is while gradients agree. Every
/// parameter is a matrix with a gradient.
void muon_update(std::span<Optimizer::Parameter* const> parameters,
                 const OptimizerSettings& settings, Workers& workers);

/// The nearest matrix with all singular values about 1 (0.7 to 1.2), by five Newton-Schulz steps.
/// matrix f32 [rows, columns], or [count, rows, columns] for each
/// of several.
Tensor orthogonalized(const Tensor& matrix);

}  // namespace tarsier
