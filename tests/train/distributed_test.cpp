#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <map>
#include <thread>

#include "tarsier/base/error.h"
#include "tarsier/train/distributed/communicator.h"
#include "tarsier/train/distributed/launch.h"

namespace tarsier {
namespace {

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
}

// A port nobody listens on now.
std::int64_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), length);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(socket);
  return ntohs(address.sin_port);
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

TEST(Solo, EveryCallIsDoneAtOnce) {
  const auto world = make_solo_communicator();
  Tensor x = at::ones({2});
  world->all_reduce_sum_(x);
  world->broadcast_(x, 0);
  world->barrier();
  EXPECT_TRUE(at::equal(x, at::ones({2})));
  EXPECT_EQ(world->size(), 1);
}

}  // namespace
}  // namespace tarsier
