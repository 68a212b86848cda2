#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "tarsier/base/json.h"

namespace tarsier {

inline constexpr char kWeightsName[] = "model.safetensors";
inline constexpr char kWeightsIndexName[] = "model.safetensors.index.json";
inline constexpr char kPickledName[] = "pytorch_model.bin";
inline constexpr char kPickledIndexName[] = "pytorch_model.bin.index.json";

/// weight_map of an index of shards: tensor -> file name. CheckpointError when it is empty, or
/// names a file outside the directory or without `extension`.
std::map<std::string, std::string> read_weight_map(const JsonView& index,
                                                   std::string_view extension);

/// CheckpointError unless every tensor of the map is in its shard and no shard has more. `held`:
/// tensor -> the file it was found in.
void check_weight_map(const std::map<std::string, std::string>& weight_map,
                      const std::map<std::string, std::string>& held,
                      const std::string& index_name);

/// Writes model.safetensors.index.json of `weight_map` into a directory.
void write_weight_map(const std::filesystem::path& directory,
                      const std::map<std::string, std::string>& weight_map,
                      std::int64_t total_bytes);

}  // namespace tarsier
