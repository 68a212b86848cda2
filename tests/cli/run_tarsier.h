#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tarsier {

struct ProgramResult {
  int exit_code;  // 128 + signal when killed by one
  std::string out, err;
};

/// Runs the built program in `folder` (the source tree when empty), without a terminal and with
/// `input` on its stdin, and waits for it.
ProgramResult run_tarsier(const std::vector<std::string>& arguments,
                          const std::filesystem::path& folder = {}, const std::string& input = {});

/// Compares with tests/golden/<name>.txt. TARSIER_UPDATE_GOLDENS=1 writes the file instead: review
/// it as a diff.
void expect_golden(const std::string& name, const std::string& text);

/// An empty folder, removed with the object.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The built program under way, as run_tarsier starts it; killed with the object if it still runs.
class RunningTarsier {
 public:
  /// `largest_file` bounds the files it may write (RLIMIT_FSIZE), 0: no bound.
  explicit RunningTarsier(const std::vector<std::string>& arguments,
                          const std::filesystem::path& folder = {}, std::int64_t largest_file = 0,
                          const std::string& input = {});
  ~RunningTarsier();
  RunningTarsier(const RunningTarsier&) = delete;
  RunningTarsier& operator=(const RunningTarsier&) = delete;

  bool is_running();
  void send(int signal);
  std::string err() const;  // what it has written to stderr so far
  ProgramResult wait();

 private:
  ScratchFolder scratch_;
  pid_t child_ = -1;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace tarsier
