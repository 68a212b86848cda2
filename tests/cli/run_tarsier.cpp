#include "tests/cli/run_tarsier.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tarsier/base/atomic_file.h"

namespace tarsier {
namespace {

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

ProgramResult run_tarsier(const std::vector<std::string>& arguments,
                          const std::filesystem::path& folder) {
  const ScratchFolder scratch;
  const std::string out = scratch.path() / "out", err = scratch.path() / "err";
  std::vector<char*> words = {const_cast<char*>("tarsier")};
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  const std::string directory = folder.empty() ? TARSIER_SOURCE_DIR : folder.string();

  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {  // only calls that are safe between fork and exec
    const int input = open("/dev/null", O_RDONLY);
    const int output = open(out.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
    const int errors = open(err.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (input < 0 || output < 0 || errors < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 ||
        dup2(errors, 2) < 0 || chdir(directory.c_str()) < 0) {
      _exit(99);
    }
    execv(TARSIER_PROGRAM, words.data());
    _exit(99);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) throw std::runtime_error("waitpid failed");
  const int exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {exit_code, read_whole(out), read_whole(err)};
}

void expect_golden(const std::string& name, const std::string& text) {
  const std::filesystem::path file =
      std::filesystem::path(TARSIER_SOURCE_DIR) / "tests/golden" / (name + ".txt");
  if (std::getenv("TARSIER_UPDATE_GOLDENS") != nullptr) {
    write_file_atomically(file, text);
    return;
  }
  EXPECT_EQ(text, read_whole(file))
      << "expected as in " << file.filename()
      << "; when the change is meant, run again with TARSIER_UPDATE_GOLDENS=1";
}

ScratchFolder::ScratchFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "tarsier-cli-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace tarsier
