#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "tarsier/models/adapter_config.h"
#include "tarsier/nn/lora.h"

namespace tarsier {

/// A LoRA adapter in PEFT's layout, apart from any model. Names are those of the model it was
/// trained on, without PEFT's `base_model.model.`.
struct Adapter {
  AdapterConfig config;
  std::map<std::string, LoraDelta> deltas;  // by the dense layer: "model.layers.0.mlp.up_proj"
  std::map<std::string, Tensor> replaced;   // modules_to_save: whole tensors, as stored
};

/// Reads DIRECTORY/adapter_config.json and adapter_model.safetensors. CheckpointError naming key or
/// tensor: a setting that is not supported, half of a pair, a rank other than the config's, a
/// tensor the config does not ask for, a layer of the decoder left out.
Adapter read_adapter(const std::filesystem::path& directory);

/// Writes the two files, whole or not at all, as PEFT loads them.
void write_adapter(const Adapter& adapter, const std::filesystem::path& directory);

}  // namespace tarsier
