#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <sstream>
#include <thread>

#include "tests/cli/run_tarsier.h"
#include "tests/free_port.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

// `tarsier train sft` on a network small enough for a test, as ranks of one run: processes of their
// own, as torchrun starts them. Those still there at the end are killed.
class RunningRanks {
 public:
  RunningRanks(std::int64_t size, std::int64_t steps, const std::string& limit) {
    const fs::path model = scratch_.path() / "tiny";
    fs::create_directories(model);
    recipe_ = test::write_recipe(scratch_.path(), test::make_tiny_model(model), [&](auto& recipe) {
      recipe["stages"].erase(0);
      recipe["stages"][0]["steps"] = steps;
      recipe["stages"][0]["clips_per_step"] = 1;
      recipe["stages"][0]["accumulate"] = size;
      recipe["save_every"] = 1000000;
    });
    const std::string port = std::to_string(test::free_port());
    for (std::int64_t rank = 0; rank < size; ++rank)
      start({"RANK=" + std::to_string(rank), "WORLD_SIZE=" + std::to_string(size),
             "MASTER_ADDR=127.0.0.1", "MASTER_PORT=" + port, "OMP_NUM_THREADS=1"},
            {"tarsier", "train", "sft", "--recipe", recipe_, "--out", run(), "--rank-timeout",
             limit});
  }
  ~RunningRanks() {
    for (const pid_t child : children_) {
      if (child == 0) continue;
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
  }
  RunningRanks(const RunningRanks&) = delete;
  RunningRanks& operator=(const RunningRanks&) = delete;

  std::string run() const { return scratch_.path() / "run"; }
  void signal(std::size_t rank, int number) { ::kill(children_[rank], number); }
  // Returns when a step has been logged, and whether one was before rank 0 ended.
  bool wait_for_a_step() {
    while (::waitpid(children_[0], nullptr, WNOHANG) == 0) {
      std::ifstream stream(run() + "/metrics.jsonl");
      std::string line;
      if (std::getline(stream, line)) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    children_[0] = 0;
    return false;
  }
  // Exit code, output and errors of a rank, when it has ended.
  ProgramResult wait_for(std::size_t rank) {
    int status = 0;
    ::waitpid(children_[rank], &status, 0);
    children_[rank] = 0;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            read(file(rank, "out")), read(file(rank, "err"))};
  }

 private:
  std::string file(std::size_t rank, const char* name) const {
    return scratch_.path() / (name + std::to_string(rank));
  }
  static std::string read(const std::string& path) {
    std::ifstream stream(path);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
  }
  static std::vector<char*> pointers(const std::vector<std::string>& words) {
    std::vector<char*> all;
    for (const std::string& word : words) all.push_back(const_cast<char*>(word.c_str()));
    all.push_back(nullptr);
    return all;
  }
  void start(const std::vector<std::string>& environment, const std::vector<std::string>& words) {
    const std::string out = file(children_.size(), "out"), err = file(children_.size(), "err");
    const std::vector<char*> variables = pointers(environment), arguments = pointers(words);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {  // only calls that are safe between fork and exec
      const int output = ::open(out.c_str(), O_WRONLY | O_CREAT, 0600);
      const int errors = ::open(err.c_str(), O_WRONLY | O_CREAT, 0600);
      if (::dup2(output, 1) < 0 || ::dup2(errors, 2) < 0) ::_exit(99);
      ::execve(TARSIER_PROGRAM, arguments.data(), variables.data());
      ::_exit(99);
    }
    children_.push_back(child);
  }

  ScratchFolder scratch_;
  std::string recipe_;
  std::vector<pid_t> children_;
};

TEST(RanksOfTheProgram, OneOfThemAnswers) {
  RunningRanks ranks(2, 3, "120");
  const ProgramResult first = ranks.wait_for(0), second = ranks.wait_for(1);
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(first.out, ranks.run() + "/model\n");
  EXPECT_EQ(second.out, "");
  EXPECT_EQ(second.err, "");
  EXPECT_EQ(run_tarsier({"verify", ranks.run() + "/model"}).exit_code, 0);
}

TEST(RanksOfTheProgram, AKilledOneEndsTheOthersWithItsNumber) {
  RunningRanks ranks(3, 1000000, "120");
  ASSERT_TRUE(ranks.wait_for_a_step());
  ranks.signal(1, SIGKILL);
  for (const std::size_t rank : {2, 0}) {
    const ProgramResult result = ranks.wait_for(rank);
    EXPECT_EQ(result.exit_code, 6) << result.err;
    EXPECT_THAT(result.err, HasSubstr("rank 1: stopped answering rank " + std::to_string(rank) +
                                      " (time limit 120 s)"));
  }
}

TEST(RanksOfTheProgram, AHungOneEndsTheOthersAfterTheTimeLimit) {
  RunningRanks ranks(3, 1000000, "5");
  ASSERT_TRUE(ranks.wait_for_a_step());
  ranks.signal(2, SIGSTOP);
  for (const std::size_t rank : {0, 1}) {
    const ProgramResult result = ranks.wait_for(rank);
    EXPECT_EQ(result.exit_code, 6) << result.err;
    EXPECT_THAT(result.err, HasSubstr("rank 2: stopped answering rank " + std::to_string(rank) +
                                      " (time limit 5 s)"));
  }
}

TEST(RanksOfTheProgram, AHungRankZeroIsNamedToo) {
  RunningRanks ranks(2, 1000000, "5");
  ASSERT_TRUE(ranks.wait_for_a_step());
  ranks.signal(0, SIGSTOP);
  const ProgramResult result = ranks.wait_for(1);
  EXPECT_EQ(result.exit_code, 6) << result.err;
  EXPECT_THAT(result.err, HasSubstr("rank 0: stopped answering rank 1 (time limit 5 s)"));
}

TEST(RanksOfTheProgram, ASignalToOneStopsAllAfterTheSameStepWithACheckpoint) {
  RunningRanks ranks(2, 1000000, "120");
  ASSERT_TRUE(ranks.wait_for_a_step());
  ranks.signal(1, SIGTERM);
  const ProgramResult first = ranks.wait_for(0), second = ranks.wait_for(1);
  EXPECT_EQ(first.exit_code, 75) << first.err;  // both may be tried again
  EXPECT_EQ(second.exit_code, 75) << second.err;
  EXPECT_THAT(first.err, HasSubstr("stopped; the same command goes on from here"));
  std::vector<fs::path> checkpoints;
  for (const auto& entry : fs::directory_iterator(ranks.run() + "/checkpoints"))
    checkpoints.push_back(entry.path());
  ASSERT_EQ(checkpoints.size(), 1u);
  EXPECT_EQ(run_tarsier({"verify", checkpoints[0] / "state.safetensors"}).exit_code, 0);
}

}  // namespace
}  // namespace tarsier
