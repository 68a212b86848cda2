#include "tests/cli/run_tarsier.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
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
                          const std::filesystem::path& folder, const std::string& input) {
  return RunningTarsier(arguments, folder, 0, input).wait();
}

RunningTarsier::RunningTarsier(const std::vector<std::string>& arguments,
                               const std::filesystem::path& folder, std::int64_t largest_file,
                               const std::string& input) {
  const std::string out = scratch_.path() / "out", err = scratch_.path() / "err",
                    in = scratch_.path() / "in";
  std::ofstream(in, std::ios::binary) << input;
  std::vector<char*> words = {const_cast<char*>("tarsier")};
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  const std::string directory = folder.empty() ? TARSIER_SOURCE_DIR : folder.string();
  const auto bytes = static_cast<rlim_t>(largest_file);
  const rlimit limit{bytes, bytes};

  child_ = fork();
  if (child_ < 0) throw std::runtime_error("fork failed");
  if (child_ == 0) {  // only calls that are safe between fork and exec
    const int given = open(in.c_str(), O_RDONLY);
    const int output = open(out.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
    const int errors = open(err.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (given < 0 || output < 0 || errors < 0 || dup2(given, 0) < 0 || dup2(output, 1) < 0 ||
        dup2(errors, 2) < 0 || chdir(directory.c_str()) < 0 ||
        (bytes > 0 && setrlimit(RLIMIT_FSIZE, &limit) < 0)) {
      _exit(99);
    }
    execv(TARSIER_PROGRAM, words.data());
    _exit(99);
  }
}

RunningTarsier::~RunningTarsier() {
  if (ended_) return;
  ::kill(child_, SIGKILL);
  ::waitpid(child_, &status_, 0);
}

bool RunningTarsier::is_running() {
  if (!ended_) ended_ = ::waitpid(child_, &status_, WNOHANG) == child_;
  return !ended_;
}

void RunningTarsier::send(int signal) {
  if (is_running()) ::kill(child_, signal);
}

std::string RunningTarsier::err() const { return read_whole(scratch_.path() / "err"); }

ProgramResult RunningTarsier::wait() {
  if (!ended_ && ::waitpid(child_, &status_, 0) != child_)
    throw std::runtime_error("waitpid failed");
  ended_ = true;
  const int exit_code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  return {exit_code, read_whole(scratch_.path() / "out"), err()};
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
