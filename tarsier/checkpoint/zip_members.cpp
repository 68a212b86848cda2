#include "tarsier/checkpoint/zip_members.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/tensor_name.h"

namespace tarsier {
namespace {

constexpr char kDamaged[] = "the file is damaged; download it again";
constexpr std::uint32_t kEndMark = 0x06054b50, kEnd64Mark = 0x06064b50, kLocator64Mark = 0x07064b50;
constexpr std::uint32_t kEntryMark = 0x02014b50, kLocalMark = 0x04034b50;
constexpr std::uint64_t kEndBytes = 22, kEnd64Bytes = 56, kLocator64Bytes = 20, kEntryBytes = 46;
constexpr std::uint64_t kLocalBytes = 30, kMaxComment = 0xffff;
constexpr std::uint64_t kIn64 = 0xffffffff;  // the number stands in the zip64 extra field

// Where the central directory is, in bytes from the start of the archive.
struct Directory {
  std::uint64_t begin, bytes, entries;
};

struct Entry {
  std::string name;
  std::uint64_t flags, method, stored_bytes, bytes, local;
};

class ZipReader {
 public:
  ZipReader(std::span<const std::byte> archive, const std::string& file_name)
      : archive_(archive), file_name_(file_name) {}

  ZipMembers read() const {
    const Directory directory = find_directory();
    ZipMembers members;
    std::uint64_t at = directory.begin;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
      const Entry entry = read_entry(at, directory);
      if (!members.emplace(entry.name, bytes_of_member(entry, directory.begin)).second)
        refuse(entry.name, "is there twice");
    }
    return members;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw CheckpointError({file_name_, what, kDamaged});
  }
  [[noreturn]] void refuse(const std::string& member, const std::string& what,
                           const char* hint = kDamaged) const {
    throw CheckpointError({file_name_ + ": " + shown_name(member), what, hint});
  }

  // A little-endian number. Every range is checked here, so no offset of the file can lead outside.
  std::uint64_t number(std::uint64_t at, std::uint64_t bytes) const {
    if (at > archive_.size() || archive_.size() - at < bytes) refuse("is cut short");
    std::uint64_t value = 0;
    for (std::uint64_t i = 0; i < bytes; ++i)
      value |= std::to_integer<std::uint64_t>(archive_[at + i]) << (8 * i);
    return value;
  }

  std::string_view text(std::uint64_t at, std::uint64_t bytes) const {
    if (at > archive_.size() || archive_.size() - at < bytes) refuse("is cut short");
    return {reinterpret_cast<const char*>(archive_.data()) + at, bytes};
  }

  Directory find_directory() const {
    const std::uint64_t size = archive_.size();
    if (size < kEndBytes) refuse(fmt::format("has {} bytes, too few for a zip archive", size));
    std::uint64_t end = size - kEndBytes;
    const std::uint64_t lowest = end > kMaxComment ? end - kMaxComment : 0;
    while (number(end, 4) != kEndMark) {
      if (end == lowest) refuse("has no end of a zip archive: it is cut short, or not one");
      --end;
    }
    Directory directory{number(end + 16, 4), number(end + 12, 4), number(end + 10, 2)};
    if (end >= kLocator64Bytes && number(end - kLocator64Bytes, 4) == kLocator64Mark) {
      const std::uint64_t end64 = number(end - kLocator64Bytes + 8, 8);
      if (end64 > end || end - end64 < kEnd64Bytes || number(end64, 4) != kEnd64Mark)
        refuse("has a zip64 locator that points to no end of an archive");
      directory = {number(end64 + 48, 8), number(end64 + 40, 8), number(end64 + 32, 8)};
      end = end64;
    }
    if (directory.begin > end || end - directory.begin < directory.bytes)
      refuse("has a central directory outside of the file");
    if (directory.entries > static_cast<std::uint64_t>(kMaxZipMembers))
      refuse(fmt::format("has {} members, the limit is {}", directory.entries, kMaxZipMembers));
    return directory;
  }

  // The entry at `at`, which is moved behind it.
  Entry read_entry(std::uint64_t& at, const Directory& directory) const {
    if (number(at, 4) != kEntryMark) refuse("has a damaged central directory");
    const std::uint64_t name_bytes = number(at + 28, 2), extra_bytes = number(at + 30, 2);
    const std::uint64_t next = at + kEntryBytes + name_bytes + extra_bytes + number(at + 32, 2);
    if (next > directory.begin + directory.bytes) refuse("has a damaged central directory");
    Entry entry{std::string(text(at + kEntryBytes, name_bytes)),
                number(at + 8, 2),
                number(at + 10, 2),
                number(at + 20, 4),
                number(at + 24, 4),
                number(at + 42, 4)};
    read_zip64(at + kEntryBytes + name_bytes, extra_bytes, entry);
    at = next;
    return entry;
  }

  // Replaces the numbers too large for 32 bits, which follow one another in this order.
  void read_zip64(std::uint64_t at, std::uint64_t bytes, Entry& entry) const {
    const std::uint64_t end = at + bytes;
    while (end - at >= 4) {
      const std::uint64_t kind = number(at, 2), length = number(at + 2, 2);
      at += 4;
      if (length > end - at) refuse(entry.name, "has a damaged extra field");
      if (kind == 1) {
        std::uint64_t place = at;
        for (std::uint64_t* value : {&entry.bytes, &entry.stored_bytes, &entry.local}) {
          if (*value != kIn64) continue;
          if (at + length - place < 8) refuse(entry.name, "has a damaged extra field");
          *value = number(place, 8);
          place += 8;
        }
      }
      at += length;
    }
  }

  std::span<const std::byte> bytes_of_member(const Entry& entry, std::uint64_t limit) const {
    if ((entry.flags & 1) != 0)
      refuse(entry.name, "is encrypted", "save the file again without a password");
    if (entry.method != 0)
      refuse(entry.name, "is compressed", "torch.save never compresses; save the file again by it");
    if (entry.stored_bytes != entry.bytes) refuse(entry.name, "has two sizes");
    if (entry.local > limit || limit - entry.local < kLocalBytes ||
        number(entry.local, 4) != kLocalMark)
      refuse(entry.name, "has no header where the archive says it is");
    const std::uint64_t name_bytes = number(entry.local + 26, 2);
    const std::uint64_t begin =
        entry.local + kLocalBytes + name_bytes + number(entry.local + 28, 2);
    if (begin > limit || limit - begin < entry.bytes)
      refuse(entry.name, fmt::format("has {} bytes, more than the archive holds", entry.bytes));
    if (text(entry.local + kLocalBytes, name_bytes) != entry.name)
      refuse(entry.name, "has another name in its own header");
    return archive_.subspan(begin, entry.bytes);
  }

  std::span<const std::byte> archive_;
  const std::string& file_name_;
};

}  // namespace

ZipMembers read_zip_members(std::span<const std::byte> archive, const std::string& file_name) {
  return ZipReader(archive, file_name).read();
}

}  // namespace tarsier
