#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <vector>

#include "tarsier/ablation/results.h"
#include "tarsier/train/trainer.h"

namespace tarsier {

struct AblationOptions {
  std::filesystem::path out;  // a folder for each row and seed, as `train` leaves it
  std::vector<std::uint64_t> seeds{1, 2, 3};
  std::vector<std::string> rows = {};  // only these; what they start from is trained, not scored
  std::stop_token stop = {};
  Facts machine = {};
  at::Device device = at::kCPU;  // of training; scores are taken on the CPU
};

/// Trains and scores the runs that `results` does not have yet, seed by seed, each row after the
/// one it starts from; a row's model is shared by all that start from it. A run stopped half-way
/// goes on when called again. A model that is gone is trained again where another row needs it, and
/// not scored twice. Says how the last training ended: finished when all are done. ConfigError for
/// a row that is not in the plan; errors of training and scoring as they throw them.
TrainOutcome run_ablation(const AblationPlan& plan, const AblationOptions& options,
                          const AblationOrigin& origin, AblationResults& results);

}  // namespace tarsier
