#include "tarsier/nn/lora.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>

#include "tarsier/base/random.h"
#include "tarsier/nn/weight_meta.h"

namespace tarsier {
namespace {

thread_local int left_out = 0;  // how many WithoutLora there are
thread_local LoraDropout dropout;

at::Generator generator_of(const at::Device& device, std::uint64_t seed) {
  at::Generator generator = at::globalContext().defaultGenerator(device).clone();
  generator.set_current_seed(seed);
  return generator;
}

}  // namespace

WithoutLora::WithoutLora() { ++left_out; }
WithoutLora::~WithoutLora() { --left_out; }
bool WithoutLora::holds() { return left_out > 0; }

WithLoraDropout::WithLoraDropout(const LoraDropout& now) : before_(dropout) { dropout = now; }
WithLoraDropout::~WithLoraDropout() { dropout = before_; }
LoraDropout WithLoraDropout::current() { return dropout; }

Tensor lora_input(const Tensor& x, const LoraDelta& delta) {
  if (dropout.rate == 0) return x;
  const double kept = 1 - dropout.rate;
  const Tensor factors =
      at::empty(x.sizes(), x.options().dtype(at::kFloat))
          .bernoulli_(kept, generator_of(x.device(), Random({dropout.key, delta.number}).next()))
          .div_(kept);
  return x.to(at::kFloat) * factors;
}

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
  WeightMeta meta;
  if (const WeightMeta* carried = meta_of(weight)) meta.scales = carried->scales;
  meta.delta = std::move(delta);
  return with_meta(weight, meta);
}

const LoraDelta* lora_of(const Tensor& weight) {
  const WeightMeta* meta = meta_of(weight);
  return meta == nullptr ? nullptr : meta->delta.get();
}

}  // namespace tarsier
