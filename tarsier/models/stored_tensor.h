#pragma once

#include <c10/core/ScalarType.h>

#include <optional>

#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/checkpoint/strided_tensor.h"
#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// ATen's type of a stored one; nullopt for those ATen computes nothing in.
std::optional<at::ScalarType> scalar_type_of(DType dtype);
DType stored_type_of(at::ScalarType dtype);

/// A copy of a file's tensor in memory of its own, as stored. `where` is the file, for the
/// CheckpointError that refuses types without an ATen type.
Tensor copy_of(const StridedTensor& stored, const std::string& where);

/// A contiguous tensor of the CPU's memory to write under a name; valid as long as the tensor is.
TensorView view_of(const std::string& name, const Tensor& tensor);

}  // namespace tarsier
