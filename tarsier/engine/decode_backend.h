#pragma once

#include <cstdint>
#include <span>

#include "tarsier/processors/model_inputs.h"
#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// One sequence: its cache, its tokens and its next position.
using Slot = std::int64_t;

struct Admission {
  Slot slot;
  Tensor logits;  // f32 [vocab], of the token after the prompt
};

struct SlotToken {
  Slot slot;
  std::int64_t token;
};

/// A slot that holds the first tokens of `prompt` and is to hold all of them.
struct SlotPrompt {
  Slot slot;
  const Prompt* prompt;
};

/// Runs the decoder over many sequences, knowing nothing of sampling or text. One thread only; the
/// caller has switched gradients off. Tests use a scripted fake.
class DecodeBackend {
 public:
  virtual ~DecodeBackend() = default;

  /// Whether another slot of this many tokens, prompt and answer together, fits beside those held.
  virtual bool has_room_for(std::int64_t tokens) const = 0;
  /// Runs a prompt whose spans are filled, in order, by media_tokens [media_tokens, hidden]
  /// (undefined when it has none), and keeps room for `new_tokens` more. ResourceError when there
  /// is no room.
  virtual Admission admit(const Prompt& prompt, const Tensor& media_tokens,
                          std::int64_t new_tokens) = 0;
  /// One token behind each slot -> f32 [slots, vocab], rows in the order given.
  virtual Tensor step(std::span<const SlotToken> next) = 0;
  /// A slot with the same tokens, and room for `new_tokens` more: several questions about one
  /// video, sibling answers.
  virtual Slot fork(Slot prefix, std::int64_t new_tokens) = 0;
  /// Runs what each slot lacks of its prompt, text only, all as one batch -> f32 [slots, vocab].
  /// The prompts are whole, because positions are computed on whole prompts (models-tarsier.md 7,
  /// trap 32).
  virtual Tensor extend(std::span<const SlotPrompt> rest) = 0;
  virtual void release(Slot slot) = 0;
};

}  // namespace tarsier
