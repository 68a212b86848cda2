#pragma once

#include <span>

#include "tarsier/train/optimizer/optimizer.h"

namespace tarsier {

/// AdamW with decoupled decay (Loshchilov, Hutter 2019), one fused pass over weights and moments.
/// Rate and decay are each parameter's own. Every parameter has a gradient.
void adamw_update(std::span<Optimizer::Parameter* const> parameters,
                  const OptimizerSettings& settings);

}  // namespace tarsier
