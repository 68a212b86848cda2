#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tarsier/tensor/tensor.h"

namespace tarsier {

using TensorVisitor = std::function<void(const std::string& path, Tensor& tensor)>;

/// A dotted path under construction: `scope / "layers" / 3`, then `scope("weight", weight)` hands
/// the tensor over. The only reflection there is: loading, saving, counting, freezing and
/// optimising are visitors.
class Scope {
 public:
  explicit Scope(const TensorVisitor& visit,
                 std::string prefix = {});  // `visit` must outlive the walk
  Scope operator/(std::string_view name) const;
  Scope operator/(std::int64_t index) const;
  void operator()(std::string_view name,
                  Tensor& tensor) const;  // an undefined tensor is passed over

 private:
  const TensorVisitor* visit_;
  std::string prefix_;
};

/// A tensor with a shape and a type but no memory yet; loading fills it.
Tensor meta_tensor(at::IntArrayRef shape);

}  // namespace tarsier
