#include "tarsier/engine/dialogue.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace tarsier {
namespace {

std::span<const float> values_of(const Tensor& logits) {
  return {logits.const_data_ptr<float>(), static_cast<std::size_t>(logits.numel())};
}

Tensor on_cpu(const Tensor& logits) { return logits.to(at::kCPU).contiguous().view({-1}); }

}  // namespace

Dialogue::~Dialogue() { drop(); }

void Dialogue::drop() {
  if (slot_) backend_.release(*slot_);
  slot_.reset();
  held_.clear();
}

Tensor Dialogue::admit(const Prompt& prompt, const Tensor& media_tokens, std::int64_t new_tokens) {
  const auto& tokens = prompt.tokens;
  const bool goes_on = slot_ && held_.size() < tokens.size() &&
                       std::equal(held_.begin(), held_.end(), tokens.begin()) &&
                       end_of_media(prompt) <= std::ssize(held_);
  cached_ = goes_on ? std::ssize(held_) : 0;
  if (!goes_on) {
    drop();
    const Admission admission = backend_.admit(prompt, media_tokens, new_tokens);
    slot_ = admission.slot;
    held_ = tokens;
    return admission.logits;
  }
  const Slot longer = backend_.fork(*slot_, std::ssize(tokens) - std::ssize(held_) + new_tokens);
  backend_.release(*slot_);
  slot_ = longer;
  const SlotPrompt rest{longer, &prompt};
  Tensor logits = backend_.extend({&rest, 1});
  held_ = tokens;
  return logits;
}

Completion Dialogue::answer(const Prompt& prompt, const Tensor& media_tokens,
                            const SamplingParams& sampling, const TextSink& sink,
                            std::stop_token stop) {
  check_sampling(sampling);
  const std::int64_t limit = new_token_limit(model_.info(), std::ssize(prompt.tokens), sampling);
  Answer answer(model_.tokenizer(), model_.generation(), sampling, limit, prompt.tokens, sink);
  answer.push(values_of(on_cpu(admit(prompt, media_tokens, limit))));
  while (!answer.finished()) {
    if (stop.stop_requested()) {
      answer.cancel();
      break;
    }
    const SlotToken next{*slot_, answer.last_token()};
    const Tensor logits = on_cpu(backend_.step({&next, 1}));
    held_.push_back(next.token);
    answer.push(values_of(logits));
  }
  return answer.take();
}

}  // namespace tarsier
