#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace tarsier {

constexpr std::int64_t kMaxZipMembers = 200'000;

/// Name of a member -> its bytes inside the archive.
using ZipMembers = std::map<std::string, std::span<const std::byte>, std::less<>>;

/// The members of a zip archive (also zip64) whose members are stored as they are, as torch.save
/// writes them; checksums are not compared. Spans point into `archive`. Untrusted input: a member
/// that is compressed, encrypted, given twice, or outside the archive is a CheckpointError naming
/// `file_name` and the member. Source: PKWARE's APPNOTE 6.3.10, sections 4.3.7 to 4.5.3.
ZipMembers read_zip_members(std::span<const std::byte> archive, const std::string& file_name);

}  // namespace tarsier
