#pragma once

#include "tarsier/kernels/elementwise.h"

namespace tarsier {

/// The same functions written as their formulas, in double: the specification that tests hold the
/// fast ones to.
const ElementwiseKernels& reference_elementwise_kernels();

}  // namespace tarsier
