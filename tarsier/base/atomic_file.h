#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace tarsier {

/// Writes a file that appears whole or not at all: bytes go to a temporary file beside `path`;
/// commit() flushes it to the disk, renames it over `path`, and flushes the folder. Destroyed
/// without commit, nothing remains. Throws ResourceError naming the file (disk full, no
/// permission). One thread at a time.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  void commit();

 private:
  std::filesystem::path path_;
  std::string temporary_;
  int descriptor_ = -1;
};

/// AtomicFile in one call.
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// Flushes a folder's entries to the disk, so a rename in it survives a crash. Throws
/// ResourceError.
void sync_directory(const std::filesystem::path& directory);

/// Creates a folder and those above it that are missing, and flushes each new entry to the disk:
/// what is later saved in it does not vanish with it in a crash. Throws ResourceError.
void create_directories_durably(const std::filesystem::path& directory);

}  // namespace tarsier
