#include "tarsier/checkpoint/directory_commit.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tarsier/base/log.h"
#include "tarsier/checkpoint/manifest.h"
#include "tests/checkpoint/files.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using testing::fresh_folder;
using ::testing::HasSubstr;
using testing::message_of;
using testing::read_text;
using testing::write_text;

void save(const fs::path& folder, const std::string& weights) {
  DirectoryCommit commit(folder, static_cast<std::int64_t>(weights.size()));
  commit.write("model.safetensors", weights);
  commit.write("state.json", std::string_view("{}"));
  commit.commit();
}

std::int64_t entries_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

class LogLines {
 public:
  LogLines() {
    set_log_sink([this](LogLevel, std::string_view line) { text_ += std::string(line) + "\n"; });
  }
  ~LogLines() { set_log_sink({}); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

TEST(DirectoryCommit, AppearsOnCommitOnly) {
  const fs::path parent = fresh_folder();
  {
    DirectoryCommit commit(parent / "runs" / "step-1/");
    commit.write("a", std::string_view("half"));
    EXPECT_FALSE(fs::exists(parent / "runs" / "step-1"));
  }
  EXPECT_EQ(entries_in(parent / "runs"), 0);
  save(parent / "runs" / "step-1", "weights");
  EXPECT_EQ(entries_in(parent / "runs"), 1);
  EXPECT_EQ(read_text(parent / "runs" / "step-1" / "model.safetensors"), "weights");
  EXPECT_TRUE(verify_directory(parent / "runs" / "step-1").empty());
}

TEST(DirectoryCommit, ReplacesAnOlderFolderWhole) {
  const fs::path parent = fresh_folder();
  save(parent / "step-1", "old");
  write_text(parent / "step-1" / "left-over", "x");
  save(parent / "step-1", "new");
  EXPECT_EQ(read_text(parent / "step-1" / "model.safetensors"), "new");
  EXPECT_FALSE(fs::exists(parent / "step-1" / "left-over"));
  EXPECT_EQ(entries_in(parent), 1);
}

TEST(DirectoryCommit, AsksForFreeSpaceFirst) {
  const fs::path parent = fresh_folder();
  EXPECT_THAT(
      message_of<ResourceError>([&] { DirectoryCommit(parent / "step-1", std::int64_t{1} << 60); }),
      HasSubstr(parent.string() + ": needs 1268213655067531776 bytes of free space, has "));
  EXPECT_EQ(entries_in(parent), 0);
  EXPECT_NO_THROW(require_free_space(parent, 1));
  EXPECT_THROW(require_free_space(parent / "none", 1), ResourceError);
}

TEST(DirectoryCommit, NamesAFolderThatCannotBeMade) {
  const fs::path parent = fresh_folder();
  write_text(parent / "file", "");
  EXPECT_THAT(message_of<ResourceError>([&] { DirectoryCommit(parent / "file" / "step-1"); }),
              HasSubstr("file: "));
}

// A file size limit stands for a full disk: the write fails half-way. In a child, for the limit
// cannot be raised again.
TEST(DirectoryCommit, AFullDiskLeavesTheOlderFolderWhole) {
  const fs::path parent = fresh_folder();
  save(parent / "step-1", "old");
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const struct rlimit limit { 65536, 65536 };
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      save(parent / "step-1", std::string(1 << 20, 'w'));
    } catch (const ResourceError& error) {
      ::_exit(
          std::string(error.what()).find("model.safetensors: cannot be written: File too large") !=
                  std::string::npos
              ? 6
              : 1);
    } catch (...) {
    }
    ::_exit(2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 6);
  EXPECT_EQ(entries_in(parent), 1);
  EXPECT_EQ(read_text(parent / "step-1" / "model.safetensors"), "old");
  EXPECT_TRUE(verify_directory(parent / "step-1").empty());
}

// Reliability T1: a run killed at any moment of saving leaves the newest whole checkpoint to be
// found.
TEST(DirectoryCommit, KilledWhileSaving) {
  const fs::path parent = fresh_folder();
  save(parent / "step-1", "first");
  for (int round = 0; round < 30; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int step = 2;; ++step)
        save(parent / ("step-" + std::to_string(step % 5 + 2)), std::string(200'000, 'w'));
    }
    ::usleep(static_cast<useconds_t>(1000 + 700 * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    LogLines lines;
    const auto latest = find_latest_complete(parent);
    ASSERT_TRUE(latest.has_value());
    EXPECT_EQ(lines.text(), "") << "a folder under its final name is always whole";
  }
  remove_abandoned_commits(parent);
  for (const fs::directory_entry& entry : fs::directory_iterator(parent)) {
    EXPECT_EQ(entry.path().filename().string().find(".tmp-"), std::string::npos);
  }
}

TEST(DirectoryCommit, AbandonedFoldersAndFilesAreSwept) {
  const fs::path parent = fresh_folder();
  save(parent / "step-1", "whole");
  for (const char* name : {"step-2.tmp-aB3dE6", "step-1.tmp-remove"})
    save(parent / name, "abandoned");
  write_text(parent / "metrics.jsonl.tmp-q0W9e8", "half");
  write_text(parent / "notes.tmp-12", "not ours");
  remove_abandoned_commits(parent);
  EXPECT_EQ(entries_in(parent), 2);
  EXPECT_TRUE(fs::exists(parent / "notes.tmp-12"));
  remove_abandoned_commits(parent / "none");
}

TEST(DirectoryCommit, RemovesWhole) {
  const fs::path parent = fresh_folder();
  save(parent / "step-1", "old");
  save(parent / "step-2", "new");
  remove_whole(parent / "step-1");
  EXPECT_EQ(entries_in(parent), 1);
  EXPECT_THAT(message_of<ResourceError>([&] { remove_whole(parent / "step-1"); }),
              HasSubstr("step-1: cannot be removed: No such file"));
}

TEST(FindLatestComplete, TakesTheHighestNumber) {
  const fs::path parent = fresh_folder();
  EXPECT_EQ(find_latest_complete(parent), std::nullopt);
  EXPECT_EQ(find_latest_complete(parent / "none"), std::nullopt);
  for (const char* name : {"step-9", "step-10", "step-000002", "best"}) save(parent / name, name);
  fs::create_directory(parent / "step-11.tmp-123456");
  write_text(parent / "step-99", "a file");
  EXPECT_EQ(find_latest_complete(parent), parent / "step-10");
}

TEST(FindLatestComplete, FallsBackAndNamesTheDamagedFile) {
  const fs::path parent = fresh_folder();
  for (const char* name : {"step-1", "step-2", "step-3", "step-4"}) save(parent / name, "weights");
  write_text(parent / "step-4" / "model.safetensors", "weighty");
  fs::remove(parent / "step-3" / "state.json");
  LogLines lines;
  EXPECT_EQ(find_latest_complete(parent), parent / "step-2");
  EXPECT_THAT(lines.text(), HasSubstr("step-4/model.safetensors: has another SHA-256 than "
                                      "manifest.json says; trying an older checkpoint"));
  EXPECT_THAT(lines.text(), HasSubstr("step-3/state.json: is missing; trying an older checkpoint"));
  fs::remove(parent / "step-2" / "manifest.json");
  fs::remove_all(parent / "step-1");
  EXPECT_EQ(find_latest_complete(parent), std::nullopt);
}

}  // namespace
}  // namespace tarsier
