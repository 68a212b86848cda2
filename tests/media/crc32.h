#pragma once

#include <cstdint>
#include <span>

namespace tarsier::testing {

/// The CRC-32 of zlib and PNG, as the fixture scripts compute it.
inline std::uint32_t crc32_of(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

}  // namespace tarsier::testing
