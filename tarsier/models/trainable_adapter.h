#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tarsier/models/adapter_shape.h"
#include "tarsier/models/video_language_model.h"
#include "tarsier/nn/lora.h"

namespace tarsier {

/// A new LoRA adapter kept apart beside a model's dense layers, to be learned in their place. It
/// changes nothing at first: B is zero, and A uniform within 1 / sqrt(in_features), as PEFT begins.
class TrainableAdapter {
 public:
  struct Layer {
    std::string path;                        // "model.layers.0.self_attn.q_proj", ours
    std::string module;                      // the same as published
    std::shared_ptr<const LoraDelta> delta;  // a and b require gradients
  };

  /// Attaches it; the model must carry no other. ConfigError naming the target that no dense layer
  /// has, or that is the output head, which objectives read without its change.
  TrainableAdapter(VideoLanguageModel& model, const AdapterShape& shape, std::uint64_t seed);

  const std::vector<Layer>& layers() const { return layers_; }
  double dropout() const { return shape_.dropout; }
  /// Writes the adapter as PEFT loads it, with `replaced` weights of the model (paths) as its
  /// modules_to_save. Errors as write_adapter's.
  void save(VideoLanguageModel& model, const std::vector<std::string>& replaced,
            const std::string& base_model, const std::filesystem::path& directory) const;

 private:
  AdapterShape shape_;
  std::vector<Layer> layers_;
};

}  // namespace tarsier
