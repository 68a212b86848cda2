#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/checkpoint/dtype.h"

namespace tarsier {

/// A tensor of a pickled file. `storage` points into the mapping of the file it came from.
struct PickledTensor {
  std::string name;
  DType dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;   // in elements, none negative, one for each dimension
  std::span<const std::byte> storage;  // from the first element on; unaligned
};

/// Bytes of a tensor laid out row-major without gaps; cannot overflow, for no tensor has more
/// elements than its storage.
std::int64_t contiguous_bytes(const PickledTensor& tensor);

/// Where a value is in PickleMachine's list.
using PickleId = std::uint32_t;

enum class PickleKind {
  none,
  boolean,
  integer,
  real,
  text,
  tuple,
  list,
  dict,
  global,
  storage,
  tensor
};

/// One value of a pickle. Values refer to one another by number, so nothing is ever walked or freed
/// recursively, however deep a file nests them.
struct PickleValue {
  PickleKind kind = PickleKind::none;
  std::int64_t integer = 0;  // boolean, integer; global: row of the table; storage, tensor: index
  std::string_view text;     // of a text, in the file's bytes
  std::vector<PickleId> items;  // tuple, list; dict: keys and values in turn
};

/// A block of elements that tensors are views of.
struct PickledStorage {
  DType dtype;
  std::span<const std::byte> bytes;
};

}  // namespace tarsier
