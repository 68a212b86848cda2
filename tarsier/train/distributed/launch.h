#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace tarsier {

/// This process's place among the ranks of one run.
struct Launch {
  std::int64_t rank = 0, size = 1;
  std::int64_t local_rank = 0;  // among the ranks of this machine
  std::string host;             // where rank 0 is met
  std::int64_t port = 0;
  bool launcher_store = false;  // the launcher's own TCPStore listens there; rank 0 need not
  std::int64_t attempt = 0;     // how often the launcher has started the ranks again
};

/// What a variable is set to; nullptr when it is not.
using Environment = std::function<const char*(const char* name)>;

/// Reads torchrun's variables (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT, and
/// TORCHELASTIC_USE_AGENT_STORE, TORCHELASTIC_RESTART_COUNT where they are set) or those of
/// a Slurm step (SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID, SLURM_STEP_NODELIST, SLURM_JOB_ID);
/// nullopt without either. ConfigError names a variable that is missing or no sensible number.
std::optional<Launch> launch_from_environment(const Environment& environment);

/// The first machine of Slurm's short form of a list: "gpu[07-09,12],login" gives "gpu07".
std::string first_host(const std::string& node_list);

}  // namespace tarsier
