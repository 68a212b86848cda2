#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tarsier {

/// The printable spelling of bytes in byte-level vocabularies: 33-126, 161-172 and 174-255 stand
/// for themselves, the other 68 bytes, ascending, are U+0100, U+0101, ... (space is "Ġ").
std::string spell_bytes(std::string_view bytes);

/// The bytes of a spelling; nullopt when it holds a character that spells no byte.
std::optional<std::string> bytes_of_spelling(std::string_view utf8);

}  // namespace tarsier
