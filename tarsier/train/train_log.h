#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "tarsier/train/learner.h"

namespace tarsier {

/// One finished step, for the logs.
struct StepReport {
  std::int64_t step = 0, total_steps = 0;  // over all stages; step counts from 1
  std::string stage;
  StepLosses losses;
  double rate = 0, gradient_norm = 0, seconds = 0;
  std::int64_t clips = 0, tokens = 0;
  bool skipped = false;
};

/// metrics.jsonl, a line every `every` steps with means over them; and a progress line on stderr,
/// rewritten in place on a terminal, else one every 30 s.
class TrainLog {
 public:
  /// Lines of steps after `resumed_step` are dropped from an existing file: they will be done
  /// again.
  TrainLog(const std::filesystem::path& file, std::int64_t every, std::int64_t resumed_step);
  void add(const StepReport& report);

 private:
  void write_line(const StepReport& last);
  void show(const StepReport& report);

  std::filesystem::path file_;
  std::int64_t every_;
  StepLosses sum_;
  double seconds_ = 0, gradient_norm_ = 0;
  std::int64_t steps_ = 0, clips_ = 0, tokens_ = 0, skipped_ = 0;
  double mean_step_seconds_ = 0;
  StepLosses smooth_;
  double clips_per_second_ = 0;
  std::chrono::steady_clock::time_point last_shown_;
  bool terminal_;
};

}  // namespace tarsier
