// Any bytes either parse into a header that describes the file exactly, or are refused with a
// CheckpointError.
#include <cstdlib>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/safetensors.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> file = std::as_bytes(std::span(data, size));
  try {
    const tarsier::SafetensorsHeader header =
        tarsier::parse_safetensors_header(file, "fuzz.safetensors");
    std::int64_t expected = 0;
    for (const auto& entry : header.entries) {
      std::int64_t bytes = tarsier::bytes_of(entry.dtype);
      for (const std::int64_t dimension : entry.shape) bytes *= dimension;
      require(entry.begin == expected && entry.end - entry.begin == bytes);
      expected = entry.end;
    }
    require(header.data_begin + expected == static_cast<std::int64_t>(size));
  } catch (const tarsier::CheckpointError& error) {
    require(error.note.where.starts_with("fuzz.safetensors"));
    require(!error.note.what.empty() && !error.note.hint.empty());
  }
  return 0;
}
