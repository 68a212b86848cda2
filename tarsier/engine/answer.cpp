#include "tarsier/engine/answer.h"

#include <utility>

#include "tarsier/base/error.h"

namespace tarsier {

std::string_view name_of(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop:
      return "stop";
    case FinishReason::length:
      return "length";
    case FinishReason::loop:
      return "loop";
    case FinishReason::cancelled:
      return "cancelled";
  }
  return "";
}

Answer::Answer(const Tokenizer& tokenizer, const GenerationDefaults& defaults,
               const SamplingParams& params, std::int64_t max_new_tokens,
               std::span<const std::int64_t> prompt_tokens, TextSink sink)
    : defaults_(defaults),
      max_new_tokens_(max_new_tokens),
      keep_loops_(params.keep_loops),
      sampler_(params, prompt_tokens, defaults.repetition_penalty),
      detokenizer_(tokenizer),
      stops_(params.stop),
      sink_(std::move(sink)) {
  completion_.prompt_tokens = static_cast<std::int64_t>(prompt_tokens.size());
}

bool Answer::push(std::span<const float> logits) {
  check(!finished_, "a finished answer takes no more tokens");
  const std::int64_t token = sampler_.next(logits);
  completion_.tokens.push_back(token);
  ++completion_.new_tokens;
  if (is_end(defaults_.end_ids, token)) return finish(FinishReason::stop);
  emit(stops_.push(detokenizer_.push(token)));
  if (stops_.hit()) return finish(FinishReason::stop);
  if (!keep_loops_ && loops_.push(token)) return finish(FinishReason::loop);
  if (completion_.new_tokens >= max_new_tokens_) return finish(FinishReason::length);
  return true;
}

void Answer::cancel() {
  if (!finished_) finish(FinishReason::cancelled);
}

void Answer::emit(const std::string& text) {
  if (text.empty()) return;
  completion_.text += text;
  if (sink_) sink_(text);
}

bool Answer::finish(FinishReason reason) {
  finished_ = true;
  completion_.reason = reason;
  if (stops_.hit()) return false;
  emit(stops_.push(detokenizer_.finish()));
  if (stops_.hit()) {
    completion_.reason = FinishReason::stop;
  } else {
    emit(stops_.finish());
  }
  return false;
}

Completion Answer::take() {
  check(finished_, "an answer is taken once it is finished");
  return std::move(completion_);
}

}  // namespace tarsier
