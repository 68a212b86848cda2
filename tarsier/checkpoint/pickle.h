#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tarsier/base/mapped_file.h"
#include "tarsier/checkpoint/pickle_values.h"

namespace tarsier {

/// What a torch.save archive holds: a dict of tensors, or one inside `state_dict`, `module` or
/// `model`.
struct PickledCheckpoint {
  std::map<std::string, StridedTensor, std::less<>> tensors;
  std::vector<std::string> left_out;  // what stood beside the inner dict: "optimizer", "epoch"
};

/// Parses a whole file's bytes. Untrusted input: anything but tensors and plain values, whether it
/// is needed or not, is a CheckpointError naming `file_name`, the opcode or function, and where it
/// stands. Reads no byte of the tensors' data. Spans point into `file`.
PickledCheckpoint parse_pickled_checkpoint(std::span<const std::byte> file,
                                           const std::string& file_name);

/// One torch.save file, memory-mapped. Movable. Safe to read from any thread.
class PickleFile {
 public:
  /// CheckpointError when the file is absent or not accepted; messages use the file name without
  /// its folder.
  explicit PickleFile(const std::filesystem::path& path);

  const std::map<std::string, StridedTensor, std::less<>>& tensors() const {
    return content_.tensors;
  }
  const std::vector<std::string>& left_out() const { return content_.left_out; }

 private:
  MappedFile file_;
  PickledCheckpoint content_;
};

}  // namespace tarsier
