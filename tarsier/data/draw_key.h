#pragma once

#include <cstdint>
#include <string_view>

namespace tarsier {

/// A text as the key of a stream of random numbers (FNV-1a): what is drawn for a row then depends
/// on its words and not on where it stands.
inline std::uint64_t draw_key(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace tarsier
