#pragma once

#include <c10/core/Device.h>

#include <cstdint>

#include "tarsier/tensor/tensor.h"
#include "tarsier/tensor/workers.h"

namespace tarsier {

/// FLOP/s (a multiply-add counted as 2) of a linear layer's three products in `type`, forward, by
/// its input and by its weight, while every worker does them at once: x [rows, inner] times
/// weight [columns, inner]. The best of a few tries.
double linear_speed(at::ScalarType type, std::int64_t rows, std::int64_t inner,
                    std::int64_t columns, Workers& workers, at::Device device = at::kCPU);

/// What this machine, or its GPU, reaches in square products of a growing size, measured in a
/// fraction of a second: the peak that a model's arithmetic is compared with.
double peak_speed(at::ScalarType type, Workers& workers, at::Device device = at::kCPU);

}  // namespace tarsier
