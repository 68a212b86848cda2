#include "tarsier/text/sentencepiece_spelling.h"

#include <fmt/format.h>

#include <charconv>

namespace tarsier {

std::string byte_token(unsigned char byte) { return fmt::format("<0x{:02X}>", byte); }

std::optional<unsigned char> byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
  unsigned value = 0;
  const char* end = token.data() + 5;
  const auto [at, error] = std::from_chars(token.data() + 3, end, value, 16);
  if (error != std::errc() || at != end) return std::nullopt;
  return static_cast<unsigned char>(value);
}

}  // namespace tarsier
