#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tarsier {

/// Measures of UTF-8 text that filter rules compare.

std::int64_t count_characters(std::string_view utf8);
/// Runs of anything but white space.
std::int64_t count_words(std::string_view utf8);

/// The share of a text's letters that are of a script: "latin", "han", "kana", "hangul",
/// "cyrillic", "arabic", "devanagari". 0 without letters. ConfigError naming `flag` for another.
double script_share(std::string_view utf8, std::string_view script, const std::string& flag);

/// A text as duplicates are told by: normal form C, ASCII letters small, white space and ASCII
/// punctuation between words one blank.
std::string normalised_text(std::string_view utf8);

}  // namespace tarsier
