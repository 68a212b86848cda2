#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "tarsier/models/causal_decoder.h"
#include "tarsier/models/towers/qwen2_vl_vit.h"
#include "tarsier/processors/model_inputs.h"

namespace tarsier {

/// Called with a stage's name, as expected.safetensors has it, and its tensor.
using StageSink = std::function<void(const std::string& stage, const Tensor& tensor)>;

/// Tower and decoder of a Qwen2-VL or Tarsier2 directory in f32, run in one piece without a cache,
/// so that every stage can be looked at.
class StageNetwork {
 public:
  explicit StageNetwork(const std::filesystem::path& directory);

  /// Runs everything, from pixels to the logits [vocab] of the last row.
  void run(const ModelInputs& inputs, const StageSink& sink) const;

 private:
  struct Configs {
    DecoderConfig decoder;
    Qwen2VlVitConfig vision;
  };
  static Configs read(const std::filesystem::path& directory);
  StageNetwork(const std::filesystem::path& directory, const Configs& configs);

  Qwen2VlVit vision_;
  CausalDecoder decoder_;
};

}  // namespace tarsier
