#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "tarsier/train/step.h"
#include "tarsier/train/step_rows.h"
#include "tarsier/train/tensorboard.h"

namespace tarsier {

/// Means over the steps of one line of metrics.jsonl.
struct StepMeans {
  StepLosses losses;
  double gradient_norm = 0, clips_per_second = 0, tokens_per_second = 0;
  double starved_share = 0;           // of the time: the trainer waited for data
  double visual_token_share = 0;      // of the tokens
  double model_flops_per_second = 0;  // step_flops.h
  double mfu = 0;                     // of the peak
  std::int64_t skipped = 0;           // steps, which count in none of the losses
  std::int64_t bad_samples = 0;       // that could not be used
  std::vector<GroupReport> groups;
};

/// metrics.jsonl and the TensorBoard file, a line every `every` steps with means over them; and a
/// progress line on stderr, rewritten in place on a terminal, else one every 30 s.
class TrainLog {
 public:
  /// What the logs of `run` say of steps after `resumed_step` is dropped: they will be done again.
  /// `peak` is the FLOP/s that the model's are a share of (product_speed.h).
  TrainLog(const std::filesystem::path& run, std::int64_t every, std::int64_t resumed_step,
           double peak);
  void add(const StepReport& report);
  EventFile& tensorboard() { return tensorboard_; }

 private:
  void add_groups(const StepReport& report);
  void write(const StepReport& last);
  void show(const StepReport& report);

  StepRows rows_;
  EventFile tensorboard_;
  std::int64_t every_;
  double peak_;
  StepReport sum_;  // of the steps since the last line
  std::int64_t steps_ = 0, skipped_ = 0;
  std::int64_t group_steps_ = 0;    // of those that the groups' norms are sums over
  std::optional<StepMeans> means_;  // of the last line
  double mean_step_seconds_ = 0;
  std::chrono::steady_clock::time_point last_shown_;
  bool terminal_;
};

}  // namespace tarsier
