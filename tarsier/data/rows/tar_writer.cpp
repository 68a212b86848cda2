#include "tarsier/data/rows/tar_writer.h"

#include <archive.h>
#include <archive_entry.h>

#include <exception>
#include <span>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"
#include "tarsier/checkpoint/sha256.h"

namespace tarsier {

struct TarWriter::Output {
  explicit Output(const std::filesystem::path& path) : file(path), name(path.string()) {}
  ~Output() { archive_write_free(handle); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Called by libarchive, which is C: an exception waits in `failure`.
  static la_ssize_t write(archive*, void* self, const void* data, std::size_t size) {
    auto& output = *static_cast<Output*>(self);
    try {
      const std::span bytes(static_cast<const std::byte*>(data), size);
      output.file.write(bytes);
      output.sha256.update(bytes);
      output.summary.bytes += static_cast<std::int64_t>(size);
      return static_cast<la_ssize_t>(size);
    } catch (...) {
      output.failure = std::current_exception();
      return -1;
    }
  }

  void require(bool done) {
    if (failure) std::rethrow_exception(failure);
    if (!done)
      throw ResourceError({name, "cannot be written as a tar file",
                           archive_error_string(handle) ? archive_error_string(handle) : ""});
  }

  AtomicFile file;
  std::string name;
  Sha256 sha256;
  TarSummary summary;
  archive* handle = archive_write_new();
  std::exception_ptr failure;
};

TarWriter::TarWriter(const std::filesystem::path& file) : output_(std::make_unique<Output>(file)) {
  archive* handle = output_->handle;
  archive_write_set_format_pax_restricted(handle);  // ustar where it suffices
  archive_write_set_bytes_per_block(handle, 0);     // unbuffered: offsets are known as we go
  output_->require(archive_write_open(handle, output_.get(), nullptr, &Output::write, nullptr) ==
                   ARCHIVE_OK);
}

TarWriter::~TarWriter() = default;
TarWriter::TarWriter(TarWriter&&) noexcept = default;
TarWriter& TarWriter::operator=(TarWriter&&) noexcept = default;

std::int64_t TarWriter::bytes() const { return output_->summary.bytes; }

void TarWriter::add(const std::string& name, std::string_view bytes) {
  const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                            &archive_entry_free);
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
  archive_entry_set_mtime(entry.get(), 0, 0);
  output_->require(archive_write_header(output_->handle, entry.get()) == ARCHIVE_OK);
  output_->summary.members.push_back(
      {name, output_->summary.bytes, static_cast<std::int64_t>(bytes.size())});
  const la_ssize_t written = archive_write_data(output_->handle, bytes.data(), bytes.size());
  output_->require(written == static_cast<la_ssize_t>(bytes.size()));
  output_->require(archive_write_finish_entry(output_->handle) == ARCHIVE_OK);
}

TarSummary TarWriter::finish() {
  output_->require(archive_write_close(output_->handle) == ARCHIVE_OK);
  output_->summary.sha256 = output_->sha256.finish_hex();
  output_->file.commit();
  return std::move(output_->summary);
}

}  // namespace tarsier
