#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/train/distributed/communicator.h"
#include "tarsier/train/optimizer/optimizer.h"

namespace tarsier {

/// Where a run is: with the recipe, all that is needed to go on bit for bit. Data order and noise
/// are functions of these.
struct TrainState {
  std::int64_t step = 0;               // optimizer steps done, over all stages
  std::uint64_t samples = 0;           // samples drawn in the current stage
  std::vector<std::uint64_t> waiting;  // numbers of those that are still to be used (packing.h)
  std::int64_t skipped = 0;  // steps without an update because loss or gradient was not finite
  std::int64_t skipped_in_row = 0;
  std::int64_t bad_samples = 0, good_samples = 0;
  double reward_sum = 0, reward_count = 0;  // of pairs met in the current stage
  double seconds = 0;                       // of training, over all runs
  std::string recipe_hash;
  double mean_reward() const { return reward_count > 0 ? reward_sum / reward_count : 0; }
  std::string compute;  // "f32", "bf16" or "mixed": how it computes; in old checkpoints empty
};

/// Writes RUN/checkpoints/step-NNNNNN: weights, moments and state with their SHA-256, whole or not
/// at all; then removes all but the newest `keep`, and those of later steps, which were damaged.
/// Rank 0 writes, one tensor at a time; owners send it theirs, so the files do not depend on how
/// many ranks there are. ResourceError when the disk refuses; earlier checkpoints stay as they
/// were.
void save_checkpoint(const std::filesystem::path& run, const TrainState& state,
                     Optimizer& optimizer, std::int64_t keep, Communicator& world);

/// Whether the run has a checkpoint, whole or damaged.
bool has_checkpoint(const std::filesystem::path& run);

/// How the run computes, by its newest checkpoint whose state can be read; nullopt when none says.
/// For what must be known before there are tensors to load into.
std::optional<std::string> saved_compute(const std::filesystem::path& run);

/// Loads the newest whole checkpoint of rank 0's disk into the tensors of every rank; a damaged one
/// is named in a warning and passed over. nullopt, on every rank, when there is none.
/// CheckpointError, on rank 0, when all are damaged, or it belongs to another recipe or model.
std::optional<TrainState> load_checkpoint(const std::filesystem::path& run,
                                          const std::string& recipe_hash, Optimizer& optimizer,
                                          Communicator& world);

}  // namespace tarsier
