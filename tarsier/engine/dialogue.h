#pragma once

#include <stop_token>

#include "tarsier/engine/answer.h"
#include "tarsier/engine/decode_backend.h"
#include "tarsier/engine/generate.h"

namespace tarsier {

/// A conversation about one set of media: what a turn has in common with the turns before it stays
/// in the cache. Backend and model must outlive it; one thread.
class Dialogue {
 public:
  Dialogue(const VideoLanguageModel& model, DecodeBackend& backend)
      : model_(model), backend_(backend) {}
  ~Dialogue();
  Dialogue(const Dialogue&) = delete;
  Dialogue& operator=(const Dialogue&) = delete;

  /// Answers the whole conversation's prompt; media_tokens [media_tokens, hidden] (undefined:
  /// none) are read only where the cache does not hold them. Errors as generate().
  Completion answer(const Prompt& prompt, const Tensor& media_tokens,
                    const SamplingParams& sampling, const TextSink& sink, std::stop_token stop);
  /// Tokens of the last prompt that were in the cache already.
  std::int64_t cached_tokens() const { return cached_; }

 private:
  /// Runs the prompt; logits f32 [vocab] of the token after it.
  Tensor admit(const Prompt& prompt, const Tensor& media_tokens, std::int64_t new_tokens);
  void drop();

  const VideoLanguageModel& model_;
  DecodeBackend& backend_;
  std::optional<Slot> slot_;
  std::vector<std::int64_t> held_;  // tokens in the slot
  std::int64_t cached_ = 0;
};

}  // namespace tarsier
