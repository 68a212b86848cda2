#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"
#include "tarsier/base/mapped_file.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

fs::path fresh_folder(const std::string& name) {
  const fs::path folder = fs::path(::testing::TempDir()) / (name + std::to_string(::getpid()));
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

TEST(AtomicFile, AppearsOnCommitOnly) {
  const fs::path folder = fresh_folder("atomic");
  {
    AtomicFile file(folder / "a.txt");
    file.write("half");
    EXPECT_FALSE(fs::exists(folder / "a.txt"));
  }
  EXPECT_TRUE(fs::is_empty(folder));
  write_file_atomically(folder / "a.txt", "whole");
  const MappedFile mapped(folder / "a.txt");
  EXPECT_EQ(
      std::string(reinterpret_cast<const char*>(mapped.bytes().data()), mapped.bytes().size()),
      "whole");
}

TEST(AtomicFile, NamesTheFileWhenItCannotBeWritten) {
  EXPECT_THROW(AtomicFile("/no/such/folder/a.txt"), ResourceError);
}

TEST(AtomicFile, FullDiskKeepsTheOldFile) {
  // /dev/full is not a folder; a full file system is exercised by the checkpoint tests with a file
  // size limit.
  const fs::path folder = fresh_folder("atomic_full");
  write_file_atomically(folder / "a.txt", "old");
  fs::permissions(folder / "a.txt", fs::perms::owner_read);
  write_file_atomically(folder / "a.txt", "new");
  EXPECT_EQ(fs::file_size(folder / "a.txt"), 3u);
}

TEST(CreateDirectoriesDurably, MakesWhatIsMissing) {
  const fs::path folder = fresh_folder("durable");
  create_directories_durably(folder / "a" / "b" / "");
  EXPECT_TRUE(fs::is_directory(folder / "a" / "b"));
  create_directories_durably(folder / "a" / "c");
  EXPECT_TRUE(fs::is_directory(folder / "a" / "c"));
  create_directories_durably(folder / "a");
  write_file_atomically(folder / "file", "x");
  EXPECT_THROW(create_directories_durably(folder / "file" / "b"), ResourceError);
}

TEST(MappedFile, EmptyFileIsAnEmptySpan) {
  const fs::path folder = fresh_folder("mapped");
  std::ofstream(folder / "empty").close();
  EXPECT_TRUE(MappedFile(folder / "empty").bytes().empty());
  EXPECT_THROW(MappedFile(folder / "none"), ResourceError);
  EXPECT_THROW(MappedFile{folder}, ResourceError);
}

}  // namespace
}  // namespace tarsier
