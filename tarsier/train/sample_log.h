#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "tarsier/train/sample_answers.h"
#include "tarsier/train/step_rows.h"
#include "tarsier/train/tensorboard.h"

namespace tarsier {

/// samples.jsonl and TensorBoard's text page: what the model says as it learns.
class SampleLog {
 public:
  /// Rows of steps after `resumed_step` are dropped: they will be asked for again.
  SampleLog(const std::filesystem::path& run, std::int64_t resumed_step);
  void add(std::int64_t step, const std::string& stage, std::span<const SampleAnswer> answers,
           EventFile& tensorboard);

 private:
  StepRows rows_;
};

}  // namespace tarsier
