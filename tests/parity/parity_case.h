#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/models/video_language_model.h"
#include "tarsier/processors/conversation.h"

namespace tarsier {

/// A tensor a stage must give: whole, or every `stride`-th of its flattened values with sums over
/// all of them.
struct Expected {
  Tensor values;                    // f32 or i64; whole, or f32 [samples]
  std::vector<std::int64_t> shape;  // of the whole tensor
  std::int64_t stride = 0;          // 0: whole
  double sum = 0, abs_sum = 0;
};

/// One run of a case: what goes in, and what every stage must compute.
struct ParityRun {
  std::string name;
  Conversation conversation;
  std::vector<std::vector<Size>> resized;  // every resize of every medium
  std::vector<PatchGrid> grids;
  std::vector<std::int64_t> tokens;  // media tokens of every medium
  std::string prompt;                // as the template writes it
  std::int64_t next_position = 0;
  std::vector<std::int64_t> greedy_tokens;
  std::string greedy_text;
  std::map<std::string, Expected> stages;
  /// Before the names of stages, when the model goes by transformers 5's rule for positions behind
  /// a video and that gives others here: "transformers_5."; else empty.
  std::string rule;
};

/// A model directory with its expectations; tools/fixtures/README.md has the layout.
struct ParityCase {
  std::filesystem::path directory;
  std::vector<ParityRun> runs;
};

/// tests/fixtures/models, or what the environment variable TARSIER_PARITY_FIXTURES names: models of
/// other seeds.
std::filesystem::path parity_fixtures();

/// The folders there, sorted.
std::vector<std::string> parity_case_names();

/// One case with all expectations. Kept: the next call returns the same.
const ParityCase& parity_case(const std::string& name);

/// The model of a case in f32. Kept until another is asked for.
const VideoLanguageModel& parity_model(const std::string& case_name);

}  // namespace tarsier
