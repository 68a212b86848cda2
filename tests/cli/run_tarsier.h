#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tarsier {

struct ProgramResult {
  int exit_code;  // 128 + signal when killed by one
  std::string out, err;
};

/// Runs the built program in `folder` (the source tree when empty), without a terminal, and waits
/// for it.
ProgramResult run_tarsier(const std::vector<std::string>& arguments,
                          const std::filesystem::path& folder = {});

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

}  // namespace tarsier
