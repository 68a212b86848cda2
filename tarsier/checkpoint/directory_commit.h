#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

namespace tarsier {

/// Builds a folder that appears whole or not at all. Files go to a temporary folder beside
/// `final_path`; commit() flushes each, writes and flushes manifest.json with their SHA-256,
/// renames the folder to its final name (an older folder of that name is replaced in one step) and
/// flushes the parent. Destroyed without commit, nothing remains and an older folder is untouched.
/// ResourceError naming the file when the disk refuses. One thread.
class DirectoryCommit {
 public:
  /// `expected_bytes` is the size of what will be written: without 1.1 times that much free space
  /// it throws ResourceError before anything is written. Creates the parent folder if need be.
  explicit DirectoryCommit(std::filesystem::path final_path, std::int64_t expected_bytes = 0);
  ~DirectoryCommit();
  DirectoryCommit(const DirectoryCommit&) = delete;
  DirectoryCommit& operator=(const DirectoryCommit&) = delete;

  /// The temporary folder, for writers that take a path.
  const std::filesystem::path& path() const { return temporary_; }
  void write(std::string_view file_name, std::string_view text);
  void write(std::string_view file_name, std::span<const std::byte> bytes);
  void commit();

 private:
  std::filesystem::path final_path_;
  std::filesystem::path temporary_;
  bool committed_ = false;
};

/// ResourceError naming `directory`, the bytes needed and the bytes free, unless 1.1 times `bytes`
/// are free.
void require_free_space(const std::filesystem::path& directory, std::int64_t bytes);

/// The whole folder (its manifest holds) with the highest number at the end of its name
/// ("step-000040"), among those directly in `parent`. A damaged one is logged as a warning naming
/// the file, and an older one is tried; nullopt when there is none. Temporary folders are never
/// looked at.
std::optional<std::filesystem::path> find_latest_complete(const std::filesystem::path& parent);

/// Removes the temporary folders and files (DirectoryCommit, AtomicFile, remove_whole) that a
/// killed run left in `parent`. Call only while no other run writes there.
void remove_abandoned_commits(const std::filesystem::path& parent);

/// Removes a folder of `parent` under a temporary name: killed at any moment, it is there whole or
/// not at all under its own. ResourceError naming it.
void remove_whole(const std::filesystem::path& folder);

}  // namespace tarsier
