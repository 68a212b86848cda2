#include "tarsier/checkpoint/zip_members.h"

#include <gmock/gmock.h>

#include "tests/checkpoint/archives.h"
#include "tests/checkpoint/files.h"

namespace tarsier {
namespace {

using namespace testing;
using ::testing::HasSubstr;

std::map<std::string, std::string> read(const std::string& archive) {
  std::map<std::string, std::string> out;
  for (const auto& [name, bytes] : read_zip_members(as_bytes(archive), "m.zip"))
    out[name] = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  return out;
}

std::string refusal(const std::string& archive) {
  return message_of<CheckpointError>([&] { read(archive); });
}

// Writes a little-endian number over `bytes` bytes, `from_end` bytes before the end.
std::string patched(std::string archive, std::size_t from_end, int bytes, std::uint64_t value) {
  return archive.replace(archive.size() - from_end, static_cast<std::size_t>(bytes),
                         little_endian(value, bytes));
}

// One member "a" of four bytes: 35 bytes, then 47 of directory, then 22.
const std::string kOne = zip_bytes({{"a", "data"}});
constexpr std::size_t kEntry = 47 + 22;  // the directory's entry, from the end

TEST(ZipMembers, ReadsStoredMembers) {
  EXPECT_EQ(read(zip_bytes({{"a", "one"}, {"b/c", ""}, {"d", std::string(300, 'x')}})),
            (std::map<std::string, std::string>{
                {"a", "one"}, {"b/c", ""}, {"d", std::string(300, 'x')}}));
  EXPECT_TRUE(read(zip_bytes({})).empty());
}

TEST(ZipMembers, ACommentMayFollow) {
  EXPECT_EQ(read(patched(kOne, 2, 2, 5) + "hello").at("a"), "data");
}

TEST(ZipMembers, ReadsZip64) {
  // The same entry with its sizes and place in the extra field, and a 64-bit end of the directory.
  const std::string local = kOne.substr(0, 35);
  const std::string in64 = little_endian(0xffffffff, 4);
  const std::string extra = little_endian(1, 2) + little_endian(24, 2) + little_endian(4, 8) +
                            little_endian(4, 8) + little_endian(0, 8);
  const std::string entry = "PK\x01\x02" + std::string(16, '\0') + in64 + in64 +
                            little_endian(1, 2) + little_endian(extra.size(), 2) +
                            std::string(10, '\0') + in64 + "a" + extra;
  const std::string end64 = "PK\x06\x06" + little_endian(44, 8) + std::string(12, '\0') +
                            little_endian(1, 8) + little_endian(1, 8) +
                            little_endian(entry.size(), 8) + little_endian(local.size(), 8);
  const std::string locator = "PK\x06\x07" + std::string(4, '\0') +
                              little_endian(local.size() + entry.size(), 8) + little_endian(1, 4);
  const std::string end = "PK\x05\x06" + std::string(4, '\0') + little_endian(0xffff, 2) +
                          little_endian(0xffff, 2) + in64 + in64 + little_endian(0, 2);
  EXPECT_EQ(read(local + entry + end64 + locator + end).at("a"), "data");
  EXPECT_THAT(refusal(local + entry + end64 + patched(locator, 12, 8, 3) + end),
              HasSubstr("zip64 locator that points to no end"));
  EXPECT_THAT(refusal(local + entry + patched(end64, 16, 8, 1 << 30) + locator + end),
              HasSubstr("central directory outside"));
}

TEST(ZipMembers, RefusesWhatIsNoArchive) {
  EXPECT_EQ(refusal(""),
            "m.zip: has 0 bytes, too few for a zip archive; the file is damaged; "
            "download it again");
  EXPECT_THAT(refusal(std::string(100, 'x')), HasSubstr("has no end of a zip archive"));
  EXPECT_THAT(refusal(kOne.substr(0, kOne.size() - 1)), HasSubstr("has no end of a zip archive"));
}

TEST(ZipMembers, RefusesMembersThatAreNotStored) {
  EXPECT_THAT(refusal(patched(kOne, kEntry - 8, 2, 1)), HasSubstr("m.zip: a: is encrypted"));
  EXPECT_THAT(refusal(patched(kOne, kEntry - 10, 2, 8)), HasSubstr("m.zip: a: is compressed"));
  EXPECT_THAT(refusal(patched(kOne, kEntry - 20, 4, 3)), HasSubstr("m.zip: a: has two sizes"));
  EXPECT_THAT(refusal(zip_bytes({{"a", "x"}, {"a", "y"}})), HasSubstr("m.zip: a: is there twice"));
}

TEST(ZipMembers, RefusesPlacesOutside) {
  EXPECT_THAT(refusal(patched(kOne, kEntry - 42, 4, 1 << 20)),
              HasSubstr("has no header where the archive says it is"));
  EXPECT_THAT(refusal(patched(patched(kOne, kEntry - 20, 4, 5), kEntry - 24, 4, 5)),
              HasSubstr("m.zip: a: has 5 bytes, more than the archive holds"));
  EXPECT_THAT(refusal(patched(kOne, 6, 4, 1 << 20)), HasSubstr("central directory outside"));
  EXPECT_THAT(refusal(patched(kOne, 12, 2, 2)), HasSubstr("has a damaged central directory"));
  EXPECT_THAT(refusal(patched(kOne, kEntry - 46, 1, 'b')), HasSubstr("has another name"));
}

}  // namespace
}  // namespace tarsier
