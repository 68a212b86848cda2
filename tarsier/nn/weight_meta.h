#pragma once

#include <c10/core/TensorImpl.h>

#include <memory>

#include "tarsier/nn/lora.h"

namespace tarsier {

/// What a dense layer's weight carries beside its memory, in libtorch's place for what a backend
/// keeps with a tensor.
struct WeightMeta final : c10::BackendMeta {
  std::shared_ptr<const LoraDelta> delta;  // lora.h; null without one
  Tensor scales;                           // int8_weight.h; undefined where it is no such weight
};

/// Null where it carries nothing.
const WeightMeta* meta_of(const Tensor& weight);
/// The same memory as another tensor, which carries `meta`.
Tensor with_meta(const Tensor& weight, const WeightMeta& meta);

}  // namespace tarsier
