#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "tarsier/tensor/tensor.h"

namespace tarsier {

constexpr std::int64_t kAny = -1;

/// Checks a tensor where it crosses a layer. Throws InternalError: "pixels is [3, 5], expected [*,
/// 1176]".
void expect_shape(const Tensor& tensor, const char* name,
                  std::initializer_list<std::int64_t> shape);

/// "[4096, 1024]".
std::string shape_text(at::IntArrayRef shape);

}  // namespace tarsier
