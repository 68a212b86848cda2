#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tarsier/base/mapped_file.h"
#include "tarsier/checkpoint/dtype.h"

namespace tarsier {

/// One tensor, row-major. `bytes` points into the mapping of the file it came from and is valid as
/// long as that file object lives; the start may be unaligned for the element type.
struct TensorView {
  std::string name;
  DType dtype;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  // product of shape times bytes_of(dtype)
};

/// What the header of a file says, checked whole: byte ranges are ascending, without gaps, and fill
/// the file.
struct SafetensorsHeader {
  struct Entry {
    std::string name;
    DType dtype;
    std::vector<std::int64_t> shape;
    std::int64_t begin, end;  // in bytes from data_begin
  };
  std::int64_t data_begin = 0;  // in bytes from the start of the file
  std::vector<Entry> entries;   // in order of their bytes
  std::map<std::string, std::string> metadata;
};

constexpr std::int64_t kMaxSafetensorsHeaderBytes = 100'000'000;
constexpr std::int64_t kMaxTensorsPerFile = 100'000;
constexpr std::int64_t kMaxTensorRank = 8;
constexpr std::int64_t kMaxTensorNameBytes = 512;

/// Parses the header of a whole file's bytes. Untrusted input: anything the format forbids, and a
/// few limits of ours (above), is a CheckpointError that names `file_name` and the tensor. Touches
/// no byte of the data.
SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file,
                                           const std::string& file_name);

/// One safetensors file, memory-mapped. Movable. Safe to read from any thread.
class SafetensorsFile {
 public:
  /// CheckpointError when the file is absent or malformed; messages use the file name without its
  /// folder.
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  MappedFile file_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

/// Writes one file, whole or not at all (AtomicFile). The bytes depend on the arguments alone: wide
/// element types first, then by name, so every tensor is aligned; the header is padded with spaces
/// to 8 bytes. Equal to what the reference library writes for at most one metadata entry.
/// ResourceError when the disk refuses.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata = {});

/// The same of tensors that need not be in memory together: `fetch` is asked for the bytes of one
/// at a time, valid until it is asked for the next, in the order of the file. Views come without
/// bytes.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata,
                       const std::function<std::span<const std::byte>(const TensorView&)>& fetch);

}  // namespace tarsier
