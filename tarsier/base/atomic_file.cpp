#include "tarsier/base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

[[noreturn]] void throw_write_error(const std::filesystem::path& path, const char* doing,
                                    int error) {
  throw ResourceError({path.string(), std::string(doing) + ": " + std::strerror(error),
                       error == ENOSPC || error == EDQUOT || error == EFBIG
                           ? "free disk space and run the same command again"
                           : "check the folder and its permissions"});
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  temporary_ = path_.string() + ".tmp-XXXXXX";
  descriptor_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
  if (descriptor_ < 0) throw_write_error(path_, "cannot be created", errno);
  ::fchmod(descriptor_, 0644);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    ::unlink(temporary_.c_str());
  }
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_write_error(path_, "cannot be written", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::write(std::string_view text) {
  write(std::as_bytes(std::span(text.data(), text.size())));
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) throw_write_error(path_, "cannot be flushed to the disk", errno);
  const int closed = ::close(descriptor_);
  const int close_error = errno;
  descriptor_ = -1;
  if (closed != 0 || std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int error = closed != 0 ? close_error : errno;
    ::unlink(temporary_.c_str());
    throw_write_error(path_, "cannot be put in place", error);
  }
  const std::filesystem::path folder = path_.parent_path();
  sync_directory(folder.empty() ? "." : folder);
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

void sync_directory(const std::filesystem::path& directory) {
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) throw_write_error(directory, "cannot be opened", errno);
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (result != 0) throw_write_error(directory, "cannot be flushed to the disk", error);
}

void create_directories_durably(const std::filesystem::path& directory) {
  std::error_code error;
  if (std::filesystem::is_directory(directory, error)) return;
  const std::filesystem::path parent = directory.parent_path();
  if (!parent.empty() && parent != directory) create_directories_durably(parent);
  // "a/" names what "a" does, which is there by now.
  if (directory.filename().empty()) return;
  std::filesystem::create_directory(directory, error);
  if (error) throw_write_error(directory, "cannot be created", error.value());
  sync_directory(parent.empty() ? "." : parent);
}

}  // namespace tarsier
