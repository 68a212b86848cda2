#include "tarsier/processors/grid_rows.h"

#include <ATen/ATen.h>

namespace tarsier {

Tensor grid_rows(std::span<const PatchGrid> grids) {
  const Tensor rows = at::empty({std::ssize(grids), 3}, at::kLong);
  auto* value = rows.data_ptr<std::int64_t>();
  for (const PatchGrid& grid : grids) {
    *value++ = grid.time;
    *value++ = grid.height;
    *value++ = grid.width;
  }
  return rows;
}

std::vector<PatchGrid> grids_of(const Tensor& rows) {
  std::vector<PatchGrid> grids;
  const Tensor host = rows.to(at::kCPU).contiguous();
  const auto* value = host.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < host.size(0); ++i, value += 3)
    grids.push_back({value[0], value[1], value[2]});
  return grids;
}

}  // namespace tarsier
