#pragma once

#include <span>

#include "tarsier/train/optimizer/optimizer.h"

namespace tarsier {

/// AdamW with decoupled decay (Loshchilov, Hutter 2019), one fused pass over weights and moments.
/// Decay falls on matrices only, not on norms and biases. Every parameter has a gradient.
void adamw_update(std::span<Optimizer::Parameter* const> parameters,
                  const OptimizerSettings& settings);

}  // namespace tarsier
