#include "tarsier/nn/parameters.h"

#include <ATen/ATen.h>

namespace tarsier {

Scope::Scope(const TensorVisitor& visit, std::string prefix)
    : visit_(&visit), prefix_(std::move(prefix)) {}

Scope Scope::operator/(std::string_view name) const {
  return Scope(*visit_, prefix_.empty() ? std::string(name) : prefix_ + "." + std::string(name));
}

Scope Scope::operator/(std::int64_t index) const { return *this / std::to_string(index); }

void Scope::operator()(std::string_view name, Tensor& tensor) const {
  if (tensor.defined()) (*visit_)((*this / name).prefix_, tensor);
}

Tensor meta_tensor(at::IntArrayRef shape) {
  return at::empty(shape, at::TensorOptions().dtype(at::kFloat).device(at::kMeta));
}

}  // namespace tarsier
