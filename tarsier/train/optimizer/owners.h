#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tarsier {

/// Rank `rank` of `size`.
struct RankPlace {
  std::int64_t rank = 0, size = 1;
};

/// Which of `ranks` ranks keeps each tensor's moments (ZeRO stage 1, Rajbhandari et al. 2020, by
/// whole tensors): the largest first, each to the rank that has least so far. No rank then has more
/// than a fair share and one tensor. `sizes` in elements.
std::vector<std::int64_t> balanced_owners(std::span<const std::int64_t> sizes, std::int64_t ranks);

}  // namespace tarsier
