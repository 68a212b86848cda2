#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tarsier {

struct ConversionOptions {
  std::optional<at::ScalarType> dtype;  // of floating-point weights; unset: as they are stored
  std::filesystem::path adapter;        // a PEFT directory to merge; empty: none
  std::optional<double> lora_alpha;     // of LoRA weights that stand among the others
  std::int64_t max_shard_bytes = 5'000'000'000;  // of a file's tensors; one tensor may be larger
};

struct ConversionReport {
  std::int64_t tensors = 0, bytes = 0;  // written
  std::int64_t merged = 0;              // matrices that a LoRA change was added to
  std::vector<std::string> files;       // of weights, written
  std::vector<std::string> left_out;    // what was read and not written
};

/// Writes the weights of `from` (checkpoint/foreign_weights.h) as the safetensors directory `to`,
/// with the settings and tokenizer files beside them and manifest.json: whole or not at all. One
/// tensor is in memory at a time. LoRA changes are added in f32, then cast.
///
/// Weights saved while PEFT wrapped the model (`base_model.model.`, `.base_layer.`,
/// `.lora_A.default.`: video-SALMONN 2's trainer) get their published names, with the change merged
/// by `lora_alpha`. A tied `lm_head.weight` that is the same memory as the embedding is left out.
///
/// CheckpointError for what cannot be read or does not fit, ConfigError for `to` when it is there
/// already, ResourceError when the disk refuses. nullopt when `stop` was requested.
std::optional<ConversionReport> convert_weights(const std::filesystem::path& from,
                                                const std::filesystem::path& to,
                                                const ConversionOptions& options,
                                                const std::stop_token& stop = {});

}  // namespace tarsier
