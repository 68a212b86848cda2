#include "tarsier/nn/weight_meta.h"

#include <ATen/ATen.h>

namespace tarsier {

const WeightMeta* meta_of(const Tensor& weight) {
  return dynamic_cast<const WeightMeta*>(
      weight.unsafeGetTensorImpl()->get_backend_meta_intrusive_ptr().get());
}

Tensor with_meta(const Tensor& weight, const WeightMeta& meta) {
  const Tensor same = weight.alias();
  same.unsafeGetTensorImpl()->set_backend_meta(c10::make_intrusive<WeightMeta>(meta));
  return same;
}

}  // namespace tarsier
