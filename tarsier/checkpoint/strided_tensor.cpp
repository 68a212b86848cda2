#include "tarsier/checkpoint/strided_tensor.h"

#include <cstring>

#include "tarsier/base/error.h"

namespace tarsier {

std::int64_t contiguous_bytes(const StridedTensor& tensor) {
  std::int64_t bytes = bytes_of(tensor.dtype);
  for (const std::int64_t size : tensor.shape) bytes *= size;
  return bytes;
}

std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i > 1; --i) strides[i - 2] = strides[i - 1] * shape[i - 1];
  return strides;
}

void copy_elements(const StridedTensor& tensor, std::span<std::byte> to) {
  check(std::ssize(to) == contiguous_bytes(tensor), "elements are copied to room for all of them");
  if (to.empty()) return;
  // Whole runs: the dimensions at the end that lie in memory as they shall.
  const std::size_t element = static_cast<std::size_t>(bytes_of(tensor.dtype));
  std::size_t outer = tensor.shape.size();
  std::int64_t run = 1;
  while (outer > 0 && (tensor.strides[outer - 1] == run || tensor.shape[outer - 1] == 1))
    run *= tensor.shape[--outer];
  const std::size_t run_bytes = static_cast<std::size_t>(run) * element;
  std::vector<std::int64_t> index(outer, 0);
  for (std::size_t done = 0; done < to.size(); done += run_bytes) {
    std::int64_t from = 0;
    for (std::size_t d = 0; d < outer; ++d) from += index[d] * tensor.strides[d];
    std::memcpy(to.data() + done, tensor.storage.data() + static_cast<std::size_t>(from) * element,
                run_bytes);
    for (std::size_t d = outer; d > 0 && ++index[d - 1] == tensor.shape[d - 1]; --d)
      index[d - 1] = 0;
  }
}

}  // namespace tarsier
