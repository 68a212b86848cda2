#pragma once

#include <cstdint>
#include <string_view>

namespace tarsier {

/// CRC-32C (Castagnoli) of bytes: 0xE3069283 for "123456789".
std::uint32_t crc32c(std::string_view bytes);

}  // namespace tarsier
