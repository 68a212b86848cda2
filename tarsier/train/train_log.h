#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "tarsier/train/step.h"
#include "tarsier/train/step_rows.h"
#include "tarsier/train/tensorboard.h"

namespace tarsier {

/// Means over the steps of one line of metrics.jsonl.
struct StepMeans {
  StepLosses losses;
  double gradient_norm = 0, clips_per_second = 0, tokens_per_second = 0;
  double starved_share = 0;  // of the time: the trainer waited for data
  std::int64_t skipped = 0;  // steps, which count in none of the losses
};

/// metrics.jsonl and the TensorBoard file, a line every `every` steps with means over them; and a
/// progress line on stderr, rewritten in place on a terminal, else one every 30 s.
class TrainLog {
 public:
  /// What the logs of `run` say of steps after `resumed_step` is dropped: they will be done again.
  TrainLog(const std::filesystem::path& run, std::int64_t every, std::int64_t resumed_step);
  void add(const StepReport& report);
  EventFile& tensorboard() { return tensorboard_; }

 private:
  void write(const StepReport& last);
  void show(const StepReport& report);

  StepRows rows_;
  EventFile tensorboard_;
  std::int64_t every_;
  StepReport sum_;  // of the steps since the last line
  std::int64_t steps_ = 0, skipped_ = 0;
  StepMeans means_;  // of the last line
  double mean_step_seconds_ = 0;
  std::chrono::steady_clock::time_point last_shown_;
  bool terminal_;
};

}  // namespace tarsier
