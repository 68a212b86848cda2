#include "tarsier/text/detokenizer.h"

#include "tarsier/text/tokenizer.h"
#include "tarsier/text/utf8.h"

namespace tarsier {

Detokenizer::Detokenizer(const Tokenizer& tokenizer, bool skip_special)
    : tokenizer_(tokenizer), skip_special_(skip_special) {}

std::string Detokenizer::push(std::int64_t id) {
  if (skip_special_ && tokenizer_.is_special(id)) return {};
  held_ += tokenizer_.bytes_of(id);
  std::string text;
  std::size_t at = 0;
  while (at < held_.size()) {
    const Utf8Step step = utf8_step(held_, at);
    if (step.cut) break;
    text += step.valid ? std::string_view(held_).substr(at, step.bytes) : kReplacementCharacter;
    at += step.bytes;
  }
  held_.erase(0, at);
  return text;
}

std::string Detokenizer::finish() {
  std::string text = lossy_utf8(held_);
  held_.clear();
  return text;
}

}  // namespace tarsier
