#pragma once

#include <algorithm>
#include <cstdint>

#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// 4 million weights: 16 MB of f32, small beside any layer and large enough for the matrix
/// product's full rate.
constexpr std::int64_t kPanelElements = 4 << 20;

/// work(begin, end) for neighbouring rows of `weight`, about `elements` at a time.
template <class Work>
void for_each_panel(const Tensor& weight, std::int64_t elements, const Work& work) {
  const std::int64_t rows = weight.size(0);
  const std::int64_t panel = std::max<std::int64_t>(16, elements / weight.size(1));
  for (std::int64_t begin = 0; begin < rows; begin += panel)
    work(begin, std::min(rows, begin + panel));
}

}  // namespace tarsier
