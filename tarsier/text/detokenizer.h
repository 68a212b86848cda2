#pragma once

#include <cstdint>
#include <string>

namespace tarsier {

class Tokenizer;

/// Turns a stream of ids into text, whole UTF-8 characters only: what push() returned so far plus
/// finish() equals Tokenizer::decode of all ids. One thread at a time; the tokenizer must outlive
/// it.
class Detokenizer {
 public:
  explicit Detokenizer(const Tokenizer& tokenizer, bool skip_special = true);

  std::string push(
      std::int64_t id);  // the text that is certain now, often empty inside a character
  std::string finish();  // what was held back: U+FFFD for a character cut short

 private:
  const Tokenizer& tokenizer_;
  const bool skip_special_;
  std::string held_;  // the first bytes of a character, at most 3
};

}  // namespace tarsier
