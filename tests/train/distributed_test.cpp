#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <map>
#include <thread>

#include "tarsier/base/error.h"
#include "tarsier/train/distributed/communicator.h"
#include "tarsier/train/distributed/launch.h"
#include "tarsier/train/distributed/rendezvous.h"
#include "tests/free_port.h"
#include "tests/train/rank_threads.h"

namespace tarsier {
namespace {

using test::free_port;

Environment environment_of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) -> const char* {
    const auto found = values.find(name);
    return found == values.end() ? nullptr : found->second.c_str();
  };
}

std::string refusal(std::map<std::string, std::string> values) {
  try {
    launch_from_environment(environment_of(std::move(values)));
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Launch, WithoutALauncherThereIsNone) {
  EXPECT_FALSE(launch_from_environment(environment_of({})).has_value());
}

TEST(Launch, ReadsTorchrunsVariables) {
  const Launch launch = *launch_from_environment(environment_of({{"RANK", "3"},
                                                                 {"WORLD_SIZE", "4"},
                                                                 {"LOCAL_RANK", "1"},
                                                                 {"MASTER_ADDR", "10.0.0.1"},
                                                                 {"MASTER_PORT", "29500"}}));
  EXPECT_EQ(launch.rank, 3);
  EXPECT_EQ(launch.size, 4);
  EXPECT_EQ(launch.local_rank, 1);
  EXPECT_EQ(launch.host, "10.0.0.1");
  EXPECT_EQ(launch.port, 29500);
  EXPECT_FALSE(launch.launcher_store);
  EXPECT_EQ(launch.attempt, 0);
}

TEST(Launch, ReadsTorchrunsStoreAndAttempt) {
  const Launch launch =
      *launch_from_environment(environment_of({{"RANK", "0"},
                                               {"WORLD_SIZE", "2"},
                                               {"MASTER_ADDR", "localhost"},
                                               {"MASTER_PORT", "29500"},
                                               {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                               {"TORCHELASTIC_RESTART_COUNT", "3"}}));
  EXPECT_TRUE(launch.launcher_store);
  EXPECT_EQ(launch.attempt, 3);
}

TEST(Launch, ReadsASlurmStep) {
  const Launch launch =
      *launch_from_environment(environment_of({{"SLURM_PROCID", "9"},
                                               {"SLURM_NTASKS", "16"},
                                               {"SLURM_LOCALID", "1"},
                                               {"SLURM_STEP_NODELIST", "gpu[07-09,12],login"},
                                               {"SLURM_JOB_ID", "123456"}}));
  EXPECT_EQ(launch.rank, 9);
  EXPECT_EQ(launch.size, 16);
  EXPECT_EQ(launch.local_rank, 1);
  EXPECT_EQ(launch.host, "gpu07");
  EXPECT_EQ(launch.port, 15000 + 123456 % 20000);
}

TEST(Launch, FirstHostOfASlurmList) {
  EXPECT_EQ(first_host("node1"), "node1");
  EXPECT_EQ(first_host("a1,b[2-3]"), "a1");
  EXPECT_EQ(first_host("n[003,007-009]"), "n003");
  EXPECT_THROW(first_host("n["), ConfigError);
}

TEST(Launch, NamesWhatIsMissingOrWrong) {
  EXPECT_EQ(refusal({{"RANK", "0"}}),
            "WORLD_SIZE: is not set, though RANK is; start every rank with torchrun or srun");
  EXPECT_EQ(refusal({{"RANK", "2"}, {"WORLD_SIZE", "2"}}),
            "RANK: is '2', expected 0 to 1; start every rank with torchrun or srun");
  EXPECT_EQ(refusal({{"RANK", "0"}, {"WORLD_SIZE", "x"}}),
            "WORLD_SIZE: is 'x', expected 1 to 1048576; start every rank with torchrun or srun");
  EXPECT_EQ(refusal({{"RANK", "0"},
                     {"WORLD_SIZE", "2"},
                     {"MASTER_ADDR", "a"},
                     {"MASTER_PORT", "1"},
                     {"TORCHELASTIC_RESTART_COUNT", "-1"}}),
            "TORCHELASTIC_RESTART_COUNT: is '-1', expected 0 to 9223372036854775807; start every "
            "rank with torchrun or srun");
}

// Runs `body` as each rank, in a process of its own; gives their exit codes.
std::vector<int> run_ranks(std::int64_t size, std::chrono::seconds limit,
                           const std::function<int(Communicator&)>& body) {
  const std::int64_t port = free_port();
  std::vector<pid_t> children;
  for (std::int64_t rank = 0; rank < size; ++rank) {
    const pid_t child = ::fork();
    if (child == 0) {
      int code = 70;
      try {
        const auto world = make_gloo_communicator({rank, size, rank, "127.0.0.1", port}, limit);
        code = body(*world);
      } catch (const std::exception& error) {
        fprintf(stderr, "rank %d: %s\n", static_cast<int>(rank), error.what());
      }
      ::_exit(code);
    }
    children.push_back(child);
  }
  std::vector<int> codes;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    codes.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
  return codes;
}

TEST(Gloo, RanksSumAndSpread) {
  for (const std::int64_t size : {1, 2, 4}) {
    const auto body = [size](Communicator& world) {
      Tensor sum = at::full({3}, static_cast<double>(world.rank() + 1), at::kFloat);
      world.all_reduce_sum_(sum);
      const double expected = static_cast<double>(size * (size + 1)) / 2;
      if (!at::equal(sum, at::full({3}, expected, at::kFloat))) return 1;
      Tensor count = at::full({}, world.rank(), at::kLong);
      world.broadcast_(count, size - 1);
      if (count.item<std::int64_t>() != size - 1) return 2;
      Tensor half = at::full({3}, static_cast<double>(world.rank()), at::kBFloat16);
      Tensor bytes = half.view(at::kByte);
      world.broadcast_(bytes, size - 1);
      if (half[2].item<double>() != static_cast<double>(size - 1)) return 3;
      Tensor part = at::full({2}, static_cast<double>(world.rank() + 1), at::kDouble);
      world.reduce_sum_(part, size - 1);
      if (world.rank() == size - 1 && part[1].item<double>() != expected) return 4;
      world.barrier();
      return 0;
    };
    EXPECT_EQ(run_ranks(size, std::chrono::seconds(60), body),
              std::vector<int>(static_cast<std::size_t>(size), 0));
  }
}

int culprit_named(const ResourceError& error, const std::string& name) {
  fprintf(stderr, "%s\n", error.what());
  return std::string(error.what()).starts_with(name + ": stopped answering") ? 6 : 1;
}

TEST(Gloo, ADeadRankIsNamedByTheOthers) {
  const auto body = [](Communicator& world) {
    Tensor x = at::ones({2});
    world.all_reduce_sum_(x);
    if (world.rank() == 1) ::raise(SIGKILL);
    try {
      for (int i = 0; i < 100; ++i) world.all_reduce_sum_(x);
    } catch (const ResourceError& error) {
      return culprit_named(error, "rank 1");
    }
    return 2;
  };
  EXPECT_EQ(run_ranks(3, std::chrono::seconds(60), body), (std::vector<int>{6, 128 + SIGKILL, 6}));
}

TEST(Gloo, AHungRankIsNamedAfterTheTimeLimit) {
  const auto body = [](Communicator& world) {
    Tensor x = at::ones({2});
    world.all_reduce_sum_(x);
    if (world.rank() == 2) {
      std::this_thread::sleep_for(std::chrono::seconds(12));
      return 3;
    }
    try {
      world.all_reduce_sum_(x);
    } catch (const ResourceError& error) {
      return culprit_named(error, "rank 2");
    }
    return 2;
  };
  EXPECT_EQ(run_ranks(3, std::chrono::seconds(5), body), (std::vector<int>{6, 6, 3}));
}

TEST(Gloo, RanksThatDoNotMeetAreAnError) {
  const std::int64_t port = free_port();
  try {
    make_gloo_communicator({0, 2, 0, "127.0.0.1", port}, std::chrono::seconds(2));
    FAIL() << "one rank of two cannot start";
  } catch (const ResourceError& error) {
    EXPECT_EQ(std::string(error.what()),
              "rank 0: did not meet the other 1 ranks at 127.0.0.1:" + std::to_string(port) +
                  " within 2 s; check that all of them started, and that the port is free and "
                  "open");
  }
}

// torchrun keeps a store of its own, which stays when it starts the ranks again.
TEST(Gloo, RanksMeetInTheLaunchersStoreAtEveryAttempt) {
  test::switch_off_flight_recorder();
  const std::int64_t port = free_port();
  const Rendezvous launcher({0, 1, 0, "127.0.0.1", port}, std::chrono::seconds(60));
  for (const std::int64_t attempt : {0, 1}) {
    std::vector<double> sums(2);
    std::vector<std::jthread> ranks;
    for (std::int64_t rank = 0; rank < 2; ++rank) {
      ranks.emplace_back([&, rank] {
        const auto world = make_gloo_communicator({rank, 2, rank, "127.0.0.1", port, true, attempt},
                                                  std::chrono::seconds(60));
        Tensor sum = at::full({}, static_cast<double>(rank + 1), at::kDouble);
        world->all_reduce_sum_(sum);
        sums[static_cast<std::size_t>(rank)] = sum.item<double>();
      });
    }
    ranks.clear();
    EXPECT_EQ(sums, (std::vector<double>{3, 3})) << attempt;
  }
}

TEST(JoinRanks, OneIsAlone) {
  EXPECT_EQ(join_ranks(std::nullopt, at::kCPU, std::chrono::seconds(1))->size(), 1);
  EXPECT_EQ(join_ranks(Launch{}, at::kCUDA, std::chrono::seconds(1))->size(), 1);
}

TEST(Solo, EveryCallIsDoneAtOnce) {
  const auto world = make_solo_communicator();
  Tensor x = at::ones({2});
  world->all_reduce_sum_(x);
  world->broadcast_(x, 0);
  world->reduce_sum_(x, 0);
  world->barrier();
  EXPECT_TRUE(at::equal(x, at::ones({2})));
  EXPECT_EQ(world->size(), 1);
}

}  // namespace
}  // namespace tarsier
