#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tarsier/tensor/workers.h"
#include "tarsier/train/distributed/data_parallel.h"
#include "tarsier/train/learner.h"
#include "tarsier/train/prefetch.h"

namespace tarsier {

/// Weights that the logs tell apart (optimizer/groups.h), those of them that learn.
struct GroupReport {
  std::string name;
  double rate = 0;  // the highest in the group
  double gradient_norm = 0;
};

/// One finished step, for the logs.
struct StepReport {
  std::int64_t step = 0, total_steps = 0;  // over all stages; step counts from 1
  std::string stage;
  StepLosses losses;
  double rate = 0, gradient_norm = 0;
  double seconds = 0;  // all of the step
  double waited = 0;   // seconds of it in which there was no data
  std::int64_t clips = 0, tokens = 0, media_tokens = 0, bad_samples = 0;
  double flops = 0;  // the model's arithmetic (step_flops.h)
  std::vector<GroupReport> groups;
  bool skipped = false;
};

/// One optimizer step: the lessons of all micro-batches, their gradients summed and clipped, the
/// update. A step that is not finite leaves weights and moments as they were, on every rank.
/// `totals` are those of `data` over the ranks; the report is of all of them. `step_in_stage`
/// counts from 0, `mean_reward` and `dropout_key` are Learner::learn's. Leaves `step`,
/// `total_steps` and `stage` to the caller.
StepReport take_step(Learner& learner, Workers& workers, Communicator& world, const StepData& data,
                     const StepTotals& totals, const Stage& stage, std::int64_t step_in_stage,
                     double mean_reward = 0, std::uint64_t dropout_key = 0);

}  // namespace tarsier
