#include "tarsier/checkpoint/directory_commit.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/manifest.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporaryMark = ".tmp-";  // then six characters of mkdtemp
constexpr std::string_view kRemovalMark = ".tmp-remove";

[[noreturn]] void fail(const fs::path& path, const std::string& doing, int error) {
  throw ResourceError({path.string(), doing + ": " + std::strerror(error),
                       "check the folder, its permissions and the disk"});
}

fs::path make_temporary_beside(const fs::path& path) {
  std::string name = path.string() + std::string(kTemporaryMark) + "XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) fail(path, "cannot be created", errno);
  ::chmod(name.c_str(), 0755);
  return name;
}

bool is_temporary(const std::string& name) {
  return name.size() > kTemporaryMark.size() + 6 &&
         name.compare(name.size() - 11, kTemporaryMark.size(), kTemporaryMark) == 0;
}

// An fsync that fails means lost data: it is an error at once, never retried.
void sync_file(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(path, "cannot be opened", errno);
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (result != 0) fail(path, "cannot be flushed to the disk", error);
}

// Puts `built` under the name `final_path`. An older folder of that name ends up under the returned
// path.
fs::path put_in_place(const fs::path& built, const fs::path& final_path) {
  if (::rename(built.c_str(), final_path.c_str()) == 0) return {};
  if (errno != ENOTEMPTY && errno != EEXIST) fail(final_path, "cannot be put in place", errno);
  if (::renameat2(AT_FDCWD, built.c_str(), AT_FDCWD, final_path.c_str(), RENAME_EXCHANGE) == 0)
    return built;
  if (errno != EINVAL && errno != ENOSYS) fail(final_path, "cannot be put in place", errno);
  // This file system cannot exchange two names: for a moment neither folder has the final one.
  const fs::path aside = make_temporary_beside(final_path);
  if (::rename(final_path.c_str(), aside.c_str()) != 0)
    fail(final_path, "cannot be moved aside", errno);
  if (::rename(built.c_str(), final_path.c_str()) != 0)
    fail(final_path, "cannot be put in place", errno);
  return aside;
}

// The digits at the end of a name, or -1.
std::int64_t trailing_number(const std::string& name) {
  const std::size_t last_other = name.find_last_not_of("0123456789");
  const std::string digits = last_other == std::string::npos ? name : name.substr(last_other + 1);
  return digits.empty() || digits.size() > 18 ? -1 : std::stoll(digits);
}

}  // namespace

void require_free_space(const fs::path& directory, std::int64_t bytes) {
  struct statvfs status {};
  if (::statvfs(directory.c_str(), &status) != 0)
    fail(directory, "cannot be measured for free space", errno);
  const double free = static_cast<double>(status.f_bavail) * static_cast<double>(status.f_frsize);
  const double needed = 1.1 * static_cast<double>(bytes);
  if (free >= needed) return;
  throw ResourceError(
      {directory.string(),
       fmt::format("needs {:.0f} bytes of free space, has {:.0f}", needed, free),
       "free disk space or choose another folder, then run the same command again"});
}

DirectoryCommit::DirectoryCommit(fs::path final_path, std::int64_t expected_bytes)
    : final_path_(std::move(final_path)) {
  if (final_path_.filename().empty()) final_path_ = final_path_.parent_path();
  const fs::path parent = final_path_.has_parent_path() ? final_path_.parent_path() : fs::path(".");
  create_directories_durably(parent);
  require_free_space(parent, expected_bytes);
  temporary_ = make_temporary_beside(final_path_);
}

DirectoryCommit::~DirectoryCommit() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(temporary_, ignored);
}

void DirectoryCommit::write(std::string_view file_name, std::string_view text) {
  write(file_name, std::as_bytes(std::span(text.data(), text.size())));
}

void DirectoryCommit::write(std::string_view file_name, std::span<const std::byte> bytes) {
  check(!committed_, "a folder is written before it is committed");
  AtomicFile file(temporary_ / file_name);
  file.write(bytes);
  file.commit();
}

void DirectoryCommit::commit() {
  check(!committed_, "a folder is committed once");
  for (const fs::directory_entry& entry : fs::directory_iterator(temporary_))
    sync_file(entry.path());
  write_manifest(temporary_);  // flushes itself and the folder
  const fs::path replaced = put_in_place(temporary_, final_path_);
  committed_ = true;
  sync_directory(final_path_.has_parent_path() ? final_path_.parent_path() : fs::path("."));
  std::error_code ignored;
  if (!replaced.empty()) fs::remove_all(replaced, ignored);
}

std::optional<fs::path> find_latest_complete(const fs::path& parent) {
  std::error_code ignored;
  if (!fs::is_directory(parent, ignored)) return std::nullopt;
  std::vector<std::pair<std::int64_t, fs::path>> candidates;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, ignored)) {
    const std::string name = entry.path().filename().string();
    const std::int64_t number = trailing_number(name);
    if (number >= 0 && entry.is_directory() && !is_temporary(name))
      candidates.emplace_back(number, entry.path());
  }
  std::sort(candidates.rbegin(), candidates.rend());
  for (const auto& [number, directory] : candidates) {
    const std::vector<ErrorNote> problems = verify_directory(directory);
    if (problems.empty()) return directory;
    log_warning(
        fmt::format("{}: {}; trying an older checkpoint", problems[0].where, problems[0].what));
  }
  return std::nullopt;
}

void remove_abandoned_commits(const fs::path& parent) {
  std::error_code ignored;
  if (!fs::is_directory(parent, ignored)) return;
  std::vector<fs::path> abandoned;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, ignored)) {
    if (is_temporary(entry.path().filename().string())) abandoned.push_back(entry.path());
  }
  for (const fs::path& path : abandoned) fs::remove_all(path, ignored);
}

void remove_whole(const fs::path& folder) {
  const fs::path doomed = folder.string() + std::string(kRemovalMark);
  if (::rename(folder.c_str(), doomed.c_str()) != 0) fail(folder, "cannot be removed", errno);
  // Else a crash could keep the files' removal and lose the rename.
  sync_directory(folder.has_parent_path() ? folder.parent_path() : fs::path("."));
  std::error_code error;
  fs::remove_all(doomed, error);
  if (error) fail(folder, "cannot be removed", error.value());
}

}  // namespace tarsier
