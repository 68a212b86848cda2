#include "tarsier/checkpoint/foreign_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/shard_index.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

constexpr char kAllName[] = "all_parameters.bin";
constexpr std::string_view kStepBegin = "checkpoint-", kStepEnd = ".bin";
constexpr std::string_view kWrapper = "module.";

// N of checkpoint-N.bin.
std::optional<std::int64_t> step_of(const fs::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with(kStepBegin) || !name.ends_with(kStepEnd)) return std::nullopt;
  const std::string digits =
      name.substr(kStepBegin.size(), std::max(name.size(), kStepBegin.size() + kStepEnd.size()) -
                                         kStepBegin.size() - kStepEnd.size());
  if (digits.empty() || digits.size() > 18 ||
      digits.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  return std::stoll(digits);
}

fs::path last_step(const fs::path& directory) {
  std::int64_t highest = -1;
  fs::path last;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored)) {
    const std::int64_t step = step_of(entry.path()).value_or(-1);
    if (step > highest) {
      highest = step;
      last = entry.path();
    }
  }
  return last;
}

StridedTensor strided(const TensorView& view) {
  return {view.name, view.dtype, view.shape, contiguous_strides(view.shape), view.bytes};
}

}  // namespace

bool is_pickle_name(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".bin" || extension == ".pt" || extension == ".pth";
}

ForeignWeights ForeignWeights::open(const fs::path& path) {
  ForeignWeights weights;
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    weights.add_directory(path);
  } else if (!fs::exists(path, ignored)) {
    throw CheckpointError({path.string(), "does not exist",
                           "pass a file of weights, or a directory that holds them"});
  } else if (step_of(path) && fs::exists(path.parent_path() / kAllName, ignored)) {
    weights.add_overlaid(path.parent_path() / kAllName, path);
  } else {
    weights.add(path);
  }
  return weights;
}

void ForeignWeights::add_directory(const fs::path& directory) {
  std::error_code ignored;
  const auto has = [&](const char* name) { return fs::exists(directory / name, ignored); };
  if (has(kWeightsName)) {
    add(directory / kWeightsName);
  } else if (has(kWeightsIndexName)) {
    add_shards(directory, kWeightsIndexName, ".safetensors");
  } else if (has(kPickledName)) {
    add(directory / kPickledName);
  } else if (has(kPickledIndexName)) {
    add_shards(directory, kPickledIndexName, ".bin");
  } else if (has(kAllName)) {
    add_overlaid(directory / kAllName, last_step(directory));
  } else {
    throw CheckpointError(
        {directory.string(),
         fmt::format("has no weights: none of {}, {}, {}, {} and {}", kWeightsName,
                     kWeightsIndexName, kPickledName, kPickledIndexName, kAllName),
         "pass the file of weights itself"});
  }
}

void ForeignWeights::add_overlaid(const fs::path& all, const fs::path& last) {
  add(all);
  overlay_ = true;
  if (!last.empty()) add(last);
}

void ForeignWeights::add_shards(const fs::path& directory, const char* index_name,
                                std::string_view extension) {
  const std::map<std::string, std::string> weight_map =
      read_weight_map(read_json(directory / index_name, JsonOwner::checkpoint), extension);
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : weight_map) shards.insert(shard);
  for (const std::string& shard : shards) add(directory / shard);
  std::map<std::string, std::string> held;
  for (const auto& [name, tensor] : tensors_) held.emplace(tensor.view.name, tensor.file);
  check_weight_map(weight_map, held, index_name);
}

void ForeignWeights::add(const fs::path& path) {
  const std::string file = path.filename().string();
  std::vector<StridedTensor> views;
  if (path.extension() == ".safetensors") {
    safetensors_.emplace_back(path);
    for (const auto& [name, view] : safetensors_.back().tensors()) views.push_back(strided(view));
  } else if (is_pickle_name(path)) {
    pickles_.emplace_back(path);
    for (const auto& [name, view] : pickles_.back().tensors()) views.push_back(view);
    const std::vector<std::string>& beside = pickles_.back().left_out();
    left_out_.insert(left_out_.end(), beside.begin(), beside.end());
  } else {
    throw CheckpointError({file, "is no file of weights by its ending",
                           "pass a .bin, .pt, .pth or .safetensors file"});
  }
  const bool wrapped = std::all_of(views.begin(), views.end(), [](const StridedTensor& view) {
    return view.name.size() > kWrapper.size() && view.name.starts_with(kWrapper);
  });
  for (StridedTensor& view : views) {
    const std::string name = wrapped ? view.name.substr(kWrapper.size()) : view.name;
    const auto [place, is_new] = tensors_.try_emplace(name, Tensor{view, file});
    if (!is_new && !overlay_) {
      throw CheckpointError({file, fmt::format("{} is also in {}", name, place->second.file),
                             "download the model again, all of its files"});
    }
    if (!is_new) place->second = Tensor{std::move(view), file};
  }
  files_.push_back(file);
}

}  // namespace tarsier
