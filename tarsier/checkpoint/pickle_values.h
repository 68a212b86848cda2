#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/checkpoint/dtype.h"
#include "tarsier/checkpoint/strided_tensor.h"

namespace tarsier {

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
