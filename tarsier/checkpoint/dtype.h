#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tarsier {

/// Element types of a safetensors file, in the order the reference writer sorts by (narrow first).
enum class DType {
  boolean,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  f8_e8m0,
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  c64,
  f64,
  i64,
  u64
};

std::int64_t bytes_of(DType dtype);     // of one element
std::string_view name_of(DType dtype);  // as in the file: "F32", "BF16", "BOOL"
std::optional<DType> dtype_from_name(std::string_view name);

}  // namespace tarsier
