#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace tarsier {

/// What generation_config.json (else config.json) says about ending and sampling; absent keys keep
/// these values.
struct GenerationDefaults {
  std::vector<std::int64_t> end_ids;  // any of them ends an answer
  double repetition_penalty = 1.0;    // 1: none
  bool penalize_prompt = true;        // the penalty counts the prompt's ids too; the family's rule
};

/// Reads a model directory. CheckpointError names file and key.
GenerationDefaults read_generation_defaults(const std::filesystem::path& directory);

}  // namespace tarsier
