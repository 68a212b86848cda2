#include "tarsier/checkpoint/weight_index.h"

#include <limits>
#include <set>

#include "tarsier/base/json.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/checkpoint/shard_index.h"

namespace tarsier {

namespace fs = std::filesystem;

std::vector<std::string> WeightIndex::files() const {
  std::set<std::string> names;
  for (const auto& [tensor, file] : file_of) names.insert(file);
  return {names.begin(), names.end()};
}

std::optional<WeightIndex> index_without_weights(const fs::path& directory) {
  std::error_code ignored;
  if (fs::exists(directory / kWeightsName, ignored) ||
      !fs::exists(directory / kWeightsIndexName, ignored))
    return std::nullopt;
  const JsonView json = read_json(directory / kWeightsIndexName, JsonOwner::checkpoint);
  WeightIndex index{read_weight_map(json, ".safetensors"), std::nullopt};
  for (const std::string& file : index.files()) {
    if (fs::exists(directory / file, ignored)) return std::nullopt;
  }
  const std::optional<JsonView> metadata = json.find("metadata");
  if (metadata && metadata->has("total_size"))
    index.total_bytes =
        metadata->at("total_size").as_int(0, std::numeric_limits<std::int64_t>::max());
  return index;
}

std::vector<std::string> weight_names(const fs::path& directory) {
  std::error_code ignored;
  std::vector<std::string> names;
  if (fs::exists(directory / kWeightsName, ignored)) {
    const SafetensorsFile file(directory / kWeightsName);
    for (const auto& [name, view] : file.tensors()) names.push_back(name);
  } else if (fs::exists(directory / kWeightsIndexName, ignored)) {
    const JsonView index = read_json(directory / kWeightsIndexName, JsonOwner::checkpoint);
    for (const auto& [name, file] : read_weight_map(index, ".safetensors")) names.push_back(name);
  }
  return names;
}

}  // namespace tarsier
