#include "tarsier/checkpoint/dtype.h"

#include <iterator>

namespace tarsier {
namespace {

struct DTypeRow {
  std::string_view name;
  std::int64_t bytes;
};

// Indexed by DType.
constexpr DTypeRow kRows[] = {
    {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"F8_E8M0", 1},
    {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},     {"U32", 4},
    {"F32", 4},  {"C64", 8}, {"F64", 8}, {"I64", 8},     {"U64", 8}};
static_assert(std::size(kRows) == static_cast<std::size_t>(DType::u64) + 1);

}  // namespace

std::int64_t bytes_of(DType dtype) { return kRows[static_cast<std::size_t>(dtype)].bytes; }

std::string_view name_of(DType dtype) { return kRows[static_cast<std::size_t>(dtype)].name; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kRows); ++i) {
    if (kRows[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

}  // namespace tarsier
