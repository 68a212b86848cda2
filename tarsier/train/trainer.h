#pragma once

#include <c10/core/Device.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>

#include "tarsier/train/distributed/launch.h"
#include "tarsier/train/recipe.h"
#include "tarsier/train/run_facts.h"

namespace tarsier {

struct TrainOptions {
  std::filesystem::path out;  // the run's folder: checkpoints/, logs, report.html, model/
  bool resume = true;         // go on from the newest whole checkpoint, if there is one
  std::stop_token stop = {};  // finish the step, save, return
  Facts machine = {};         // what the caller knows of it, for machine.json and the report
  std::optional<std::filesystem::path> resume_from = {};  // where `out` holds no checkpoint: the
                                                          // folder of a run to go on from
  std::optional<Launch> launch = {};  // this process's place among the ranks; none: it is alone
  std::chrono::seconds rank_limit{
      600};                      // for the others to answer, a checkpoint's writing included
  at::Device device = at::kCPU;  // of weights and arithmetic; data is made on the CPU
};

enum class TrainOutcome {
  finished,  // model/ holds the result (and, until then, that of the last finished stage)
  stopped,   // on request; a checkpoint holds everything
  diverged,  // ten steps in a row were not finite
};

/// Runs a recipe from its beginning or from where it was left; the same command with the same
/// recipe goes on bit for bit on the same machine (training.md 11), but on a GPU, whose sums have
/// no fixed order, to rounding. Steps whose loss or gradient is not finite change nothing and are
/// counted. ConfigError before any work when recipe, model and data do not fit; ResourceError when
/// a checkpoint cannot be saved.
///
/// With a launch, the ranks learn together: the step's micro-batches are dealt out to them, and
/// each keeps its part of the optimizer's state. Results are those of one rank to rounding; the
/// folder is rank 0's. A request to stop on any rank stops all after the same step. ResourceError
/// naming a rank that died or did not answer within the limit.
TrainOutcome train(const Recipe& recipe, const TrainOptions& options);

}  // namespace tarsier
