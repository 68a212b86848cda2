#include "tarsier/text/byte_level.h"

#include <array>
#include <cstddef>

#include "tarsier/text/utf8.h"

namespace tarsier {
namespace {

constexpr std::size_t kFirstFree = 0x100, kSpellings = 0x100 + 68;

constexpr bool spells_itself(std::size_t byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

struct Tables {
  std::array<char32_t, 256> of_byte{};
  std::array<int, kSpellings> to_byte{};
};

constexpr Tables make_tables() {
  Tables tables;
  for (auto& byte : tables.to_byte) byte = -1;
  std::size_t free = kFirstFree;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const std::size_t c = spells_itself(byte) ? byte : free++;
    tables.of_byte[byte] = static_cast<char32_t>(c);
    tables.to_byte[c] = static_cast<int>(byte);
  }
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::string spell_bytes(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes)
    append_utf8(text, kTables.of_byte[static_cast<unsigned char>(byte)]);
  return text;
}

std::optional<std::string> bytes_of_spelling(std::string_view utf8) {
  std::string bytes;
  bytes.reserve(utf8.size());
  for (std::size_t at = 0; at < utf8.size();) {
    const CodePoint c = code_point_at(utf8, at);
    if (c.value >= kSpellings || kTables.to_byte[c.value] < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(static_cast<unsigned char>(kTables.to_byte[c.value])));
    at += c.bytes;
  }
  return bytes;
}

}  // namespace tarsier
