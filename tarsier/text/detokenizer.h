#pragma once

#include <cstdint>
#include <string>

namespace tarsier {

class Tokenizer;

/// Turns a stream of ids into text, whole UTF-8 characters only: what push() returned so far plus
/// finish() equals Tokenizer::decode of all ids. What the tokenizer's decoder strips is stripped
/// from the beginning of the whole text, once. One thread at a time; the tokenizer must outlive it.
class Detokenizer {
 public:
  explicit Detokenizer(const Tokenizer& tokenizer, bool skip_special = true);

  /// The text that is certain now, often empty inside a character. Behind a ByteFallback decoder
  /// bytes are certain only where their run ends: one that is wrong spoils the whole run.
  std::string push(std::int64_t id);
  /// What was held back: U+FFFD for a character cut short. The next push() begins a new text.
  std::string finish();

 private:
  std::string take_bytes(bool run_ended);
  std::string token_text(std::int64_t id, bool is_first);
  std::string cut_beginning(std::string text);

  const Tokenizer& tokenizer_;
  const bool skip_special_;
  std::string bytes_;     // of byte tokens, not text yet
  bool begun_ = false;    // a token came
  bool emitted_ = false;  // some text came out
  int cuts_ = 0;          // of leading_cut() that were made
};

}  // namespace tarsier
