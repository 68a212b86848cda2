#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tarsier {

/// The code point starting at a byte of text known to be UTF-8, and its length in bytes.
struct CodePoint {
  char32_t value;
  std::size_t bytes;
};
CodePoint code_point_at(std::string_view utf8, std::size_t at);

/// One step over bytes that may be anything. `bytes` is 1 to 4 for a whole character (valid), or
/// the length of the maximal invalid part, which one U+FFFD stands for (Unicode 3.9, as Rust's
/// from_utf8_lossy and Python's "replace"). `cut` when the end of the bytes cut a character that
/// more bytes could complete.
struct Utf8Step {
  std::size_t bytes;
  bool valid;
  bool cut;
};
Utf8Step utf8_step(std::string_view bytes, std::size_t at);

/// Offset of the first byte that is not UTF-8 (surrogates and overlong forms are not), nullopt for
/// UTF-8.
std::optional<std::size_t> first_invalid_utf8(std::string_view bytes);

/// Throws InputError, naming `where` and the offset, unless `bytes` is UTF-8.
void require_utf8(std::string_view bytes, const std::string& where);

void append_utf8(std::string& text, char32_t code_point);

/// The bytes with each invalid part replaced by U+FFFD.
std::string lossy_utf8(std::string_view bytes);

/// Unicode White_Space: what `\s` is in tokenizer files.
bool is_white_space(char32_t code_point);

/// Letters, marks, decimal digits, connectors and joiners: what `\w` is in tokenizer files.
bool is_word_character(char32_t code_point);

constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

}  // namespace tarsier
