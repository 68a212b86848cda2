#include "tarsier/tensor/shape.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "tarsier/base/error.h"

namespace tarsier {

std::string shape_text(at::IntArrayRef shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += shape[i] == kAny ? "*" : fmt::format("{}", shape[i]);
  }
  return text + "]";
}

void expect_shape(const Tensor& tensor, const char* name,
                  std::initializer_list<std::int64_t> shape) {
  bool equal = tensor.defined() && tensor.dim() == static_cast<std::int64_t>(shape.size());
  std::int64_t axis = 0;
  for (const std::int64_t size : shape) {
    equal = equal && (size == kAny || tensor.size(axis) == size);
    ++axis;
  }
  if (equal) return;
  throw InternalError(
      {name,
       fmt::format("is {}, expected {}",
                   tensor.defined() ? shape_text(tensor.sizes()) : "undefined", shape_text(shape)),
       "this is a bug of ours; please report it"});
}

}  // namespace tarsier
