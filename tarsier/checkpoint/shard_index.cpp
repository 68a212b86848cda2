#include "tarsier/checkpoint/shard_index.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"

namespace tarsier {
namespace {

constexpr char kAllFiles[] = "download the model again, all of its files";

void check_shard_name(const JsonView& entry, std::string_view extension) {
  const std::string& name = entry.as_string();
  const bool leaves = name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos ||
                      name.find("..") != std::string::npos;
  if (leaves || name.empty())
    entry.fail(fmt::format("names the file '{}' outside the directory", name),
               "get the model from a source you trust");
  if (!name.ends_with(extension)) {
    entry.fail(fmt::format("names '{}', which is not a {} file", name, extension.substr(1)),
               kAllFiles);
  }
}

}  // namespace

std::map<std::string, std::string> read_weight_map(const JsonView& index,
                                                   std::string_view extension) {
  const JsonView entries = index.at("weight_map");
  std::map<std::string, std::string> weight_map;
  for (const std::string& tensor : entries.keys()) {
    check_shard_name(entries.at(tensor), extension);
    weight_map.emplace(tensor, entries.at(tensor).as_string());
  }
  if (weight_map.empty()) entries.fail("is empty", kAllFiles);
  return weight_map;
}

void check_weight_map(const std::map<std::string, std::string>& weight_map,
                      const std::map<std::string, std::string>& held,
                      const std::string& index_name) {
  for (const auto& [tensor, shard] : weight_map) {
    const auto found = held.find(tensor);
    if (found == held.end()) {
      throw CheckpointError(
          {shard, fmt::format("has no tensor {}, which {} says it holds", tensor, index_name),
           kAllFiles});
    }
    if (found->second != shard) {
      throw CheckpointError(
          {found->second,
           fmt::format("holds {}, which {} says is in {}", tensor, index_name, shard), kAllFiles});
    }
  }
  for (const auto& [tensor, file] : held) {
    if (!weight_map.contains(tensor)) {
      throw CheckpointError(
          {file, fmt::format("holds {}, which {} does not list", tensor, index_name), kAllFiles});
    }
  }
}

void write_weight_map(const std::filesystem::path& directory,
                      const std::map<std::string, std::string>& weight_map,
                      std::int64_t total_bytes) {
  nlohmann::ordered_json json;
  json["metadata"]["total_size"] = total_bytes;
  json["weight_map"] = weight_map;
  write_file_atomically(directory / kWeightsIndexName, json.dump(2) + "\n");
}

}  // namespace tarsier
