#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace tarsier {

/// A whole regular file mapped read-only. Movable; unmapped on destruction. Safe to read from any
/// thread. Throws ResourceError when the file cannot be opened or mapped. An empty file maps to an
/// empty span.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tarsier
