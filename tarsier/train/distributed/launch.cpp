#include "tarsier/train/distributed/launch.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

constexpr std::int64_t kMostRanks = 1 << 20;
// Slurm gives no port: jobs of one machine spread over these.
constexpr std::int64_t kFirstSlurmPort = 15000, kSlurmPorts = 20000;

std::string text_of(const Environment& environment, const char* name, const char* beside) {
  const char* value = environment(name);
  if (value == nullptr || *value == '\0')
    throw ConfigError({name, fmt::format("is not set, though {} is", beside),
                       "start every rank with torchrun or srun"});
  return value;
}

std::int64_t number_of(const Environment& environment, const char* name, const char* beside,
                       std::int64_t low, std::int64_t high) {
  const std::string text = text_of(environment, name, beside);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high)
    throw ConfigError({name, fmt::format("is '{}', expected {} to {}", text, low, high),
                       "start every rank with torchrun or srun"});
  return value;
}

Launch from_torchrun(const Environment& environment) {
  Launch launch;
  launch.size = number_of(environment, "WORLD_SIZE", "RANK", 1, kMostRanks);
  launch.rank = number_of(environment, "RANK", "WORLD_SIZE", 0, launch.size - 1);
  launch.local_rank = environment("LOCAL_RANK") == nullptr
                          ? launch.rank
                          : number_of(environment, "LOCAL_RANK", "RANK", 0, launch.size - 1);
  launch.host = text_of(environment, "MASTER_ADDR", "RANK");
  launch.port = number_of(environment, "MASTER_PORT", "RANK", 1, 65535);
  const char* agent = environment("TORCHELASTIC_USE_AGENT_STORE");
  launch.launcher_store = agent != nullptr && std::strcmp(agent, "True") == 0;
  if (environment("TORCHELASTIC_RESTART_COUNT") != nullptr)
    launch.attempt = number_of(environment, "TORCHELASTIC_RESTART_COUNT", "RANK", 0, INT64_MAX);
  return launch;
}

Launch from_slurm(const Environment& environment) {
  Launch launch;
  launch.size = number_of(environment, "SLURM_NTASKS", "SLURM_PROCID", 1, kMostRanks);
  launch.rank = number_of(environment, "SLURM_PROCID", "SLURM_NTASKS", 0, launch.size - 1);
  launch.local_rank = number_of(environment, "SLURM_LOCALID", "SLURM_PROCID", 0, launch.size - 1);
  launch.host = first_host(text_of(environment, "SLURM_STEP_NODELIST", "SLURM_PROCID"));
  const std::int64_t job = number_of(environment, "SLURM_JOB_ID", "SLURM_PROCID", 0, INT64_MAX);
  launch.port = kFirstSlurmPort + job % kSlurmPorts;
  return launch;
}

}  // namespace

std::optional<Launch> launch_from_environment(const Environment& environment) {
  if (environment("RANK") != nullptr || environment("WORLD_SIZE") != nullptr)
    return from_torchrun(environment);
  if (environment("SLURM_PROCID") != nullptr) return from_slurm(environment);
  return std::nullopt;
}

std::string first_host(const std::string& node_list) {
  const std::size_t open = node_list.find_first_of("[,");
  if (open == std::string::npos || node_list[open] == ',') return node_list.substr(0, open);
  const std::size_t end = node_list.find_first_of("-,]", open);
  if (end == std::string::npos || end == open + 1)
    throw ConfigError({"SLURM_STEP_NODELIST", fmt::format("'{}' is no list of nodes", node_list),
                       "check the Slurm environment"});
  return node_list.substr(0, open) + node_list.substr(open + 1, end - open - 1);
}

}  // namespace tarsier
