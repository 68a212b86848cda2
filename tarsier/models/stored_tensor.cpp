#include "tarsier/models/stored_tensor.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

struct TypeRow {
  DType stored;
  at::ScalarType type;
};
constexpr TypeRow kTypes[] = {{DType::f32, at::kFloat}, {DType::bf16, at::kBFloat16},
                              {DType::f16, at::kHalf},  {DType::f64, at::kDouble},
                              {DType::i64, at::kLong},  {DType::i32, at::kInt},
                              {DType::i16, at::kShort}, {DType::i8, at::kChar},
                              {DType::u8, at::kByte},   {DType::boolean, at::kBool}};

}  // namespace

std::optional<at::ScalarType> scalar_type_of(DType dtype) {
  for (const TypeRow& row : kTypes) {
    if (row.stored == dtype) return row.type;
  }
  return std::nullopt;
}

DType stored_type_of(at::ScalarType dtype) {
  for (const TypeRow& row : kTypes) {
    if (row.type == dtype) return row.stored;
  }
  throw_broken_promise("a tensor to save is of a type that files know");
}

Tensor copy_of(const StridedTensor& stored, const std::string& where) {
  const std::optional<at::ScalarType> type = scalar_type_of(stored.dtype);
  if (!type) {
    throw CheckpointError({where,
                           fmt::format("{} is of type {}", stored.name, name_of(stored.dtype)),
                           "supported here: F32, BF16, F16, F64 and integers"});
  }
  Tensor copy = at::empty(stored.shape, at::TensorOptions().dtype(*type));
  copy_elements(stored, {static_cast<std::byte*>(copy.mutable_data_ptr()),
                         static_cast<std::size_t>(copy.nbytes())});
  return copy;
}

TensorView view_of(const std::string& name, const Tensor& tensor) {
  check(tensor.is_contiguous() && tensor.device().is_cpu(), "a tensor to save lies in one piece");
  return {name,
          stored_type_of(tensor.scalar_type()),
          tensor.sizes().vec(),
          {static_cast<const std::byte*>(tensor.const_data_ptr()),
           static_cast<std::size_t>(tensor.nbytes())}};
}

}  // namespace tarsier
