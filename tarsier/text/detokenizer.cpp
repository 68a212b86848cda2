#include "tarsier/text/detokenizer.h"

#include "tarsier/text/token_decoder.h"
#include "tarsier/text/tokenizer.h"
#include "tarsier/text/utf8.h"

namespace tarsier {

Detokenizer::Detokenizer(const Tokenizer& tokenizer, bool skip_special)
    : tokenizer_(tokenizer), skip_special_(skip_special) {}

std::string Detokenizer::push(std::int64_t id) {
  const TokenDecoder& decoder = tokenizer_.decoder();
  if (skip_special_ && tokenizer_.is_special(id)) return {};
  if (decoder.spelling_of(id).empty()) return {};
  const bool is_first = !begun_;
  begun_ = true;
  if (decoder.is_bytes(id)) {
    bytes_ += decoder.bytes_of(id);
    return cut_beginning(take_bytes(false));
  }
  std::string text = cut_beginning(take_bytes(true));
  return text + cut_beginning(token_text(id, is_first));
}

std::string Detokenizer::finish() {
  std::string text = cut_beginning(take_bytes(true));
  begun_ = emitted_ = false;
  cuts_ = 0;
  return text;
}

// Bytes that are text by now. Those of a character that is still whole are left, unless their run
// has ended.
std::string Detokenizer::take_bytes(bool run_ended) {
  const InvalidBytes rule = tokenizer_.decoder().invalid_bytes();
  if (rule == InvalidBytes::whole_run && !run_ended) return {};
  std::string text;
  std::size_t at = 0;
  if (rule == InvalidBytes::whole_run && first_invalid_utf8(bytes_)) {
    for (; at < bytes_.size(); ++at) text += kReplacementCharacter;
  }
  while (at < bytes_.size()) {
    const Utf8Step step = utf8_step(bytes_, at);
    if (step.cut && !run_ended) break;
    if (step.valid) {
      text.append(bytes_, at, step.bytes);
    } else {
      text += kReplacementCharacter;
    }
    at += step.valid || rule == InvalidBytes::maximal_part ? step.bytes : 1;
  }
  bytes_.erase(0, at);
  return text;
}

std::string Detokenizer::token_text(std::int64_t id, bool is_first) {
  const TokenDecoder& decoder = tokenizer_.decoder();
  const LeadingCut& cut = decoder.leading_cut();
  std::string text = is_first ? decoder.first_text_of(id) : std::string(decoder.bytes_of(id));
  if (cut.by_token && !emitted_ && cuts_ < cut.count &&
      decoder.spelling_of(id).starts_with(cut.text)) {
    ++cuts_;
    text.erase(0, 1);  // the space that spelling became
  }
  return text;
}

std::string Detokenizer::cut_beginning(std::string text) {
  const LeadingCut& cut = tokenizer_.decoder().leading_cut();
  while (!cut.by_token && !emitted_ && cuts_ < cut.count && text.starts_with(cut.text)) {
    text.erase(0, cut.text.size());
    ++cuts_;
  }
  emitted_ = emitted_ || !text.empty();
  return text;
}

}  // namespace tarsier
