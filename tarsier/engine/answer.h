#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/engine/loop_detector.h"
#include "tarsier/engine/sampling.h"
#include "tarsier/engine/stop.h"
#include "tarsier/models/generation_defaults.h"
#include "tarsier/text/detokenizer.h"

namespace tarsier {

/// Why an answer ended: an end token or stop string, the most tokens asked for, a loop (the answer
/// repeated itself), or the caller's stop.
enum class FinishReason { stop, length, loop, cancelled };
std::string_view name_of(FinishReason reason);  // "stop", "length", "loop", "cancelled"

struct Completion {
  std::string text;
  std::vector<std::int64_t> tokens;  // generated, an end id included
  FinishReason reason = FinishReason::stop;
  std::int64_t prompt_tokens = 0, new_tokens = 0;
};

/// Receives an answer's text as it becomes certain, whole UTF-8 characters at a time.
using TextSink = std::function<void(std::string_view piece)>;

/// One answer in the making: logits in, text out. The tokenizer and the defaults must outlive it.
class Answer {
 public:
  Answer(const Tokenizer& tokenizer, const GenerationDefaults& defaults,
         const SamplingParams& params, std::int64_t max_new_tokens,
         std::span<const std::int64_t> prompt_tokens, TextSink sink);

  /// Chooses the next token from logits [vocab]. False when that ended the answer.
  bool push(std::span<const float> logits);
  void cancel();  // ends it as it stands
  std::int64_t last_token() const { return completion_.tokens.back(); }
  bool finished() const { return finished_; }
  Completion take();  // once it is finished

 private:
  void emit(const std::string& text);
  bool finish(FinishReason reason);

  const GenerationDefaults& defaults_;
  const std::int64_t max_new_tokens_;
  const bool keep_loops_;
  Sampler sampler_;
  Detokenizer detokenizer_;
  StopStrings stops_;
  LoopDetector loops_;
  TextSink sink_;
  Completion completion_;
  bool finished_ = false;
};

}  // namespace tarsier
