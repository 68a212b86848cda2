#pragma once

#include <span>
#include <vector>

#include "tarsier/processors/patch_grid.h"
#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// Grids as MediaInputs::grid holds them: i64 [media, 3] (time, height, width).
Tensor grid_rows(std::span<const PatchGrid> grids);

/// The rows of such a tensor, on any device.
std::vector<PatchGrid> grids_of(const Tensor& rows);

}  // namespace tarsier
