#pragma once

#include <cstdint>
#include <memory>

#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// A low-rank change of a dense layer's weight: W + scale * B A.
struct LoraDelta {
  Tensor a;  // f32 [rank, in_features]
  Tensor b;  // f32 [out_features, rank]
  double scale = 1;
  std::uint64_t number = 0;  // tells a model's changes apart, where dropout is drawn for each
};

/// What the change adds to the layer's output, scale * B (A x), in f32. x [..., in_features] ->
/// [..., out_features].
Tensor lora_output(const Tensor& x, const LoraDelta& delta);

/// W + scale * B A, computed in f32 and rounded once to `weight`'s type. weight [out_features,
/// in_features].
Tensor merged_weight(const Tensor& weight, const LoraDelta& delta);

/// The same weight, in the same memory, with a change kept apart from it: apply_linear adds the
/// change's output wherever it multiplies by the tensor returned. Whatever else reads that tensor
/// sees the weight alone, and `weight` itself stays as it is.
Tensor with_lora(const Tensor& weight, std::shared_ptr<const LoraDelta> delta);

/// The change a weight carries, null without one.
const LoraDelta* lora_of(const Tensor& weight);

/// While one exists, apply_linear leaves changes out on this thread: the model as it is without its
/// adapter, at no cost in memory.
class WithoutLora {
 public:
  WithoutLora();
  ~WithoutLora();
  WithoutLora(const WithoutLora&) = delete;
  WithoutLora& operator=(const WithoutLora&) = delete;
  static bool holds();  // on this thread
};

/// Dropout of what changes are given (PEFT's `lora_dropout`): an entry is 0 with this probability,
/// else divided by what is left of 1. Which ones follows from the key, the change's number and the
/// shape alone.
struct LoraDropout {
  double rate = 0;
  std::uint64_t key = 0;
};

/// While one exists, apply_linear drops so on this thread, in place of what held before.
class WithLoraDropout {
 public:
  explicit WithLoraDropout(const LoraDropout& dropout);
  ~WithLoraDropout();
  WithLoraDropout(const WithLoraDropout&) = delete;
  WithLoraDropout& operator=(const WithLoraDropout&) = delete;
  static LoraDropout current();  // on this thread; rate 0: none

 private:
  LoraDropout before_;
};

/// x as a change is given it on this thread: itself, or with entries dropped, in f32.
Tensor lora_input(const Tensor& x, const LoraDelta& delta);

}  // namespace tarsier
