#include "tarsier/data/rows/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

namespace tarsier {
namespace {

constexpr char kLeftOut[] = "its sample is left out; write the shard again";

}  // namespace

struct TarReader::Archive {
  Archive() : handle(archive_read_new()) {
    archive_read_support_format_tar(handle);
    archive_read_support_filter_gzip(handle);
  }
  ~Archive() { archive_read_free(handle); }
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  archive* handle;
};

TarReader::TarReader(const std::filesystem::path& file)
    : archive_(std::make_unique<Archive>()), name_(file.filename().string()) {
  constexpr std::size_t kReadBytes = 1 << 20;
  if (archive_read_open_filename(archive_->handle, file.c_str(), kReadBytes) != ARCHIVE_OK)
    throw InputError({file.string(), "cannot be opened as a tar file", "check the path"});
}

TarReader::~TarReader() = default;
TarReader::TarReader(TarReader&&) noexcept = default;

void TarReader::note(const std::string& member, std::string what, std::string hint) {
  problems_.push_back(
      {member.empty() ? name_ : name_ + ": " + member, std::move(what), std::move(hint)});
}

std::optional<TarReader::Member> TarReader::next_member() {
  while (!at_end_) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(archive_->handle, &entry);
    if (status == ARCHIVE_EOF) break;
    if (status == ARCHIVE_RETRY) continue;
    if (status == ARCHIVE_FATAL) {
      note("", "is damaged or cut short: the rest cannot be read", "write the shard again");
      break;
    }
    if (archive_entry_filetype(entry) != AE_IFREG) continue;
    const char* path = archive_entry_pathname(entry);
    const std::string name = path == nullptr ? "" : path;
    const std::size_t base = name.rfind('/') + 1, dot = name.find('.', base);
    if (dot == std::string::npos || dot == base) {
      note(name, "has no name before a dot, so it belongs to no sample",
           "rename it, or leave it out of the tar");
      continue;
    }
    Member member{name.substr(0, dot), name.substr(dot + 1), {}, true};
    const std::int64_t bytes = archive_entry_size(entry);
    if (bytes < 0 || bytes > kMaxMemberBytes) {
      note(name, fmt::format("has {} bytes, over the limit of 1 GiB", bytes), kLeftOut);
      member.whole = false;
      return member;
    }
    member.bytes.resize(static_cast<std::size_t>(bytes));
    std::size_t filled = 0;
    while (filled < member.bytes.size()) {
      const auto got = archive_read_data(archive_->handle, member.bytes.data() + filled,
                                         member.bytes.size() - filled);
      if (got <= 0) break;
      filled += static_cast<std::size_t>(got);
    }
    if (filled < member.bytes.size()) {
      note(name, fmt::format("is cut short: {} of {} bytes", filled, bytes), kLeftOut);
      member.whole = false;
      at_end_ = true;
    }
    return member;
  }
  at_end_ = true;
  return std::nullopt;
}

std::optional<TarSample> TarReader::next() {
  for (;;) {
    std::optional<Member> member = ahead_ ? std::move(ahead_) : next_member();
    ahead_.reset();
    if (!member) return std::nullopt;
    TarSample sample;
    sample.key = member->key;
    bool whole = true;
    for (; member && member->key == sample.key; member = next_member()) {
      whole = whole && member->whole;
      if (!sample.members.emplace(member->extension, std::move(member->bytes)).second) {
        note(sample.key + "." + member->extension, "stands twice in its sample", kLeftOut);
        whole = false;
      }
    }
    ahead_ = std::move(member);
    if (whole) return sample;
  }
}

}  // namespace tarsier
