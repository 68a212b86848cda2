#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tarsier {

/// How SentencePiece's vocabularies, and tokenizer.json files made of them, write what is no
/// letter.

/// "▁", which stands for a space.
inline constexpr std::string_view kVisibleSpace = "\xE2\x96\x81";

/// "<0x00>" to "<0xFF>": a byte of a character that the vocabulary lacks.
std::string byte_token(unsigned char byte);
/// The byte that such a token stands for, its digits in either case; nullopt for any other token.
std::optional<unsigned char> byte_of_token(std::string_view token);

}  // namespace tarsier
