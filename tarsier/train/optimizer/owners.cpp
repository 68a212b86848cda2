#include "tarsier/train/optimizer/owners.h"

#include <algorithm>
#include <numeric>

namespace tarsier {

std::vector<std::int64_t> balanced_owners(std::span<const std::int64_t> sizes, std::int64_t ranks) {
  std::vector<std::size_t> largest_first(sizes.size());
  std::iota(largest_first.begin(), largest_first.end(), std::size_t{0});
  std::stable_sort(largest_first.begin(), largest_first.end(),
                   [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
  std::vector<std::int64_t> load(static_cast<std::size_t>(ranks)), owners(sizes.size());
  for (const std::size_t tensor : largest_first) {
    const auto least = std::min_element(load.begin(), load.end());
    owners[tensor] = least - load.begin();
    *least += sizes[tensor];
  }
  return owners;
}

}  // namespace tarsier
