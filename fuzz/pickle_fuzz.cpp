// Any bytes either parse into tensors that lie inside them, or are refused with a CheckpointError.
#include <cstdlib>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/pickle.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> file = std::as_bytes(std::span(data, size));
  try {
    const tarsier::PickledCheckpoint checkpoint =
        tarsier::parse_pickled_checkpoint(file, "fuzz.bin");
    for (const auto& [name, tensor] : checkpoint.tensors) {
      require(!name.empty() && tensor.shape.size() == tensor.strides.size());
      std::vector<std::byte> elements(static_cast<std::size_t>(tarsier::contiguous_bytes(tensor)));
      require(elements.size() <= size);
      tarsier::copy_elements(tensor, elements);  // the sanitizer sees every byte read
    }
  } catch (const tarsier::CheckpointError& error) {
    require(error.note.where.starts_with("fuzz.bin"));
    require(!error.note.what.empty() && !error.note.hint.empty());
  }
  return 0;
}
