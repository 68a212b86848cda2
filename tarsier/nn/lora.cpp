#include "tarsier/nn/lora.h"

#include <ATen/ATen.h>

namespace tarsier {
namespace {

// libtorch's place on a tensor for what a backend keeps beside its memory.
struct LoraMeta final : c10::BackendMeta {
  explicit LoraMeta(std::shared_ptr<const LoraDelta> change) : delta(std::move(change)) {}
  const std::shared_ptr<const LoraDelta> delta;
};

thread_local int left_out = 0;  // how many WithoutLora there are

}  // namespace

WithoutLora::WithoutLora() { ++left_out; }
WithoutLora::~WithoutLora() { --left_out; }
bool WithoutLora::holds() { return left_out > 0; }

Tensor lora_output(const Tensor& x, const LoraDelta& delta) {
  return at::linear(at::linear(x.to(at::kFloat), delta.a), delta.b).mul(delta.scale);
}

Tensor merged_weight(const Tensor& weight, const LoraDelta& delta) {
  return at::mm(delta.b, delta.a)
      .mul_(delta.scale)
      .add_(weight.to(at::kFloat))
      .to(weight.scalar_type());
}

Tensor with_lora(const Tensor& weight, std::shared_ptr<const LoraDelta> delta) {
  const Tensor same = weight.alias();
  same.unsafeGetTensorImpl()->set_backend_meta(c10::make_intrusive<LoraMeta>(std::move(delta)));
  return same;
}

const LoraDelta* lora_of(const Tensor& weight) {
  const auto meta = weight.unsafeGetTensorImpl()->get_backend_meta_intrusive_ptr();
  const auto* lora = dynamic_cast<const LoraMeta*>(meta.get());
  return lora == nullptr ? nullptr : lora->delta.get();
}

}  // namespace tarsier
