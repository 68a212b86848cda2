#include "tarsier/checkpoint/shards.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/shard_index.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

constexpr char kAllFiles[] = "download the model again, all of its files";

// Why a folder without safetensors files has none: the hint depends on what is there instead.
[[noreturn]] void refuse_without_weights(const fs::path& directory) {
  std::string pickled;
  std::string shard;
  std::error_code unreadable;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, unreadable)) {
    const std::string name = entry.path().filename().string();
    const std::string extension = entry.path().extension().string();
    if (extension == ".bin" || extension == ".pt" || extension == ".pth")
      pickled = std::max(pickled, name);
    if (extension == ".safetensors") shard = std::max(shard, name);
  }
  if (unreadable) {
    throw CheckpointError(
        {directory.string(), "cannot be read: " + unreadable.message(), "check its permissions"});
  }
  if (!shard.empty()) {
    throw CheckpointError(
        {directory.string(),
         fmt::format("holds {} but neither {} nor {}", shard, kWeightsName, kWeightsIndexName),
         kAllFiles});
  }
  if (!pickled.empty()) {
    throw CheckpointError(
        {directory.string(),
         fmt::format("has its weights only as {}, a format that can run code", pickled),
         "convert them to safetensors with `tarsier convert`, or download the safetensors files"});
  }
  throw CheckpointError(
      {directory.string(),
       fmt::format("has no weights: neither {} nor {}", kWeightsName, kWeightsIndexName),
       "pass a model directory in the Hugging Face layout"});
}

// The oddity as a line, empty when the index agrees with the tensors or says nothing.
std::string total_size_warning(const JsonView& index, std::int64_t bytes) {
  const std::optional<JsonView> metadata = index.find("metadata");
  if (!metadata || !metadata->has("total_size")) return "";
  const JsonView total = metadata->at("total_size");
  if (total.as_double() == static_cast<double>(bytes)) return "";
  return fmt::format(
      "{}: metadata.total_size is {:.0f}, the tensors have {} bytes; the index may belong to "
      "another version",
      kWeightsIndexName, total.as_double(), bytes);
}

}  // namespace

void Checkpoint::add_file(const fs::path& path) {
  SafetensorsFile file(path);
  const std::string name = path.filename().string();
  for (const auto& [tensor, view] : file.tensors()) {
    if (!tensors_.emplace(tensor, view).second) {
      throw CheckpointError(
          {name, fmt::format("{} is also in {}", tensor, file_of(tensor)), kAllFiles});
    }
    file_index_.emplace(tensor, files_.size());
    total_bytes_ += static_cast<std::int64_t>(view.bytes.size());
  }
  files_.push_back(name);
  mapped_.push_back(std::move(file));
}

Checkpoint Checkpoint::open(const fs::path& directory) {
  std::error_code ignored;
  if (!fs::is_directory(directory, ignored)) {
    throw CheckpointError({directory.string(),
                           fs::exists(directory, ignored) ? "is not a directory" : "does not exist",
                           "pass a model directory in the Hugging Face layout"});
  }
  Checkpoint checkpoint;
  if (fs::exists(directory / kWeightsName, ignored)) {
    checkpoint.add_file(directory / kWeightsName);
    return checkpoint;
  }
  if (!fs::exists(directory / kWeightsIndexName, ignored)) refuse_without_weights(directory);

  const JsonView index = read_json(directory / kWeightsIndexName, JsonOwner::checkpoint);
  const std::map<std::string, std::string> weight_map = read_weight_map(index, ".safetensors");
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : weight_map) shards.insert(shard);
  for (const std::string& shard : shards) checkpoint.add_file(directory / shard);
  std::map<std::string, std::string> held;
  for (const auto& [tensor, view] : checkpoint.tensors_)
    held.emplace(tensor, checkpoint.file_of(tensor));
  check_weight_map(weight_map, held, kWeightsIndexName);
  const std::string warning = total_size_warning(index, checkpoint.total_bytes_);
  if (!warning.empty()) {
    log_warning(warning);
    checkpoint.warnings_.push_back(warning);
  }
  return checkpoint;
}

const TensorView* Checkpoint::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

const std::string& Checkpoint::file_of(std::string_view name) const {
  const auto found = file_index_.find(name);
  check(found != file_index_.end(), "file_of is asked about a tensor of the checkpoint");
  return files_[found->second];
}

}  // namespace tarsier
