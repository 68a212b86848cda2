#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tarsier {

/// model.safetensors.index.json by itself.
struct WeightIndex {
  std::map<std::string, std::string> file_of;  // by the tensor's name
  std::optional<std::int64_t> total_bytes;     // metadata.total_size

  std::vector<std::string> files() const;  // each once, sorted
};

/// The index of a directory that has one but none of the files it names: a model that can be looked
/// at and planned for before it is fetched. nullopt for any other directory. CheckpointError naming
/// file and key when it cannot be read.
std::optional<WeightIndex> index_without_weights(const std::filesystem::path& directory);

/// The names of a directory's tensors, sorted, as cheaply as they can be had: by model.safetensors'
/// header or the index, without opening shards. Empty where there is neither. CheckpointError when
/// the one that is there cannot be read.
std::vector<std::string> weight_names(const std::filesystem::path& directory);

}  // namespace tarsier
