#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tarsier/checkpoint/dtype.h"

namespace tarsier {

/// A tensor as a file stores it, in any order of elements. `storage` points into the mapping of the
/// file it came from.
struct StridedTensor {
  std::string name;
  DType dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;   // in elements, none negative, one for each dimension
  std::span<const std::byte> storage;  // from the first element on; unaligned
};

/// Bytes of a tensor laid out row-major without gaps; cannot overflow, for no tensor has more
/// elements than its storage.
std::int64_t contiguous_bytes(const StridedTensor& tensor);

/// The strides of a tensor laid out so.
std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape);

/// Copies a tensor's elements row-major and without gaps; `to` has contiguous_bytes of them.
void copy_elements(const StridedTensor& tensor, std::span<std::byte> to);

}  // namespace tarsier
