#include "tarsier/checkpoint/weight_index.h"

#include <limits>
#include <set>

#include "tarsier/base/json.h"

namespace tarsier {

namespace fs = std::filesystem;

std::vector<std::string> WeightIndex::files() const {
  std::set<std::string> names;
  for (const auto& [tensor, file] : file_of) names.insert(file);
  return {names.begin(), names.end()};
}

std::optional<WeightIndex> index_without_weights(const fs::path& directory) {
  std::error_code ignored;
  const fs::path path = directory / "model.safetensors.index.json";
  if (fs::exists(directory / "model.safetensors", ignored) || !fs::exists(path, ignored))
    return std::nullopt;
  const JsonView json = read_json(path, JsonOwner::checkpoint);
  const JsonView weight_map = json.at("weight_map");
  WeightIndex index;
  for (const std::string& tensor : weight_map.keys())
    index.file_of.emplace(tensor, weight_map.at(tensor).as_string());
  for (const std::string& file : index.files()) {
    // Only the last part: an index that names other places is refused where weights are read.
    if (fs::exists(directory / fs::path(file).filename(), ignored)) return std::nullopt;
  }
  const std::optional<JsonView> metadata = json.find("metadata");
  if (metadata && metadata->has("total_size"))
    index.total_bytes =
        metadata->at("total_size").as_int(0, std::numeric_limits<std::int64_t>::max());
  return index;
}

}  // namespace tarsier
