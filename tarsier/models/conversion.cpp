#include "tarsier/models/conversion.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/checkpoint/directory_commit.h"
#include "tarsier/checkpoint/model_files.h"
#include "tarsier/checkpoint/shard_index.h"
#include "tarsier/models/converted_weights.h"
#include "tarsier/models/stored_tensor.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

struct Stopped {};

bool has_tied_head(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder / "config.json", ignored)) return false;
  const JsonView config = read_json(folder / "config.json", JsonOwner::checkpoint);
  const std::optional<JsonView> text = config.find("text_config");
  return config.bool_or("tie_word_embeddings", false) ||
         (text && text->is_object() && text->bool_or("tie_word_embeddings", false));
}

std::int64_t bytes_written(const ConvertedWeight& weight) {
  return contiguous_bytes(weight.source) / bytes_of(weight.source.dtype) * bytes_of(weight.dtype);
}

// Names of each file's tensors, in order.
std::vector<std::vector<std::string>> split_into_shards(const ConvertedWeights& weights,
                                                        std::int64_t max_bytes) {
  std::vector<std::vector<std::string>> shards(1);
  std::int64_t bytes = 0;
  for (const auto& [name, weight] : weights) {
    const std::int64_t more = bytes_written(weight);
    if (!shards.back().empty() && more > max_bytes - bytes) {
      shards.emplace_back();
      bytes = 0;
    }
    shards.back().push_back(name);
    bytes += more;
  }
  return shards;
}

bool is_contiguous(const StridedTensor& tensor) {
  return tensor.strides == contiguous_strides(tensor.shape);
}

void write_shard(const fs::path& path, const std::vector<std::string>& names,
                 const ConvertedWeights& weights, const std::stop_token& stop) {
  std::vector<TensorView> views;
  for (const std::string& name : names) {
    const ConvertedWeight& weight = weights.at(name);
    views.push_back({name, weight.dtype, weight.source.shape, {}});
  }
  Tensor finished;
  std::vector<std::byte> copied;
  write_safetensors(path, views, {{"format", "pt"}},
                    [&](const TensorView& view) -> std::span<const std::byte> {
                      if (stop.stop_requested()) throw Stopped();
                      const ConvertedWeight& weight = weights.at(view.name);
                      if (!is_unchanged(weight)) {
                        finished = finished_weight(view.name, weight);
                        return view_of(view.name, finished).bytes;
                      }
                      const auto bytes = static_cast<std::size_t>(contiguous_bytes(weight.source));
                      if (is_contiguous(weight.source)) return weight.source.storage.first(bytes);
                      copied.resize(bytes);
                      copy_elements(weight.source, copied);
                      return copied;
                    });
}

void write_shards(const fs::path& folder, const ConvertedWeights& weights,
                  const ConversionOptions& options, const std::stop_token& stop,
                  ConversionReport& report) {
  const auto shards = split_into_shards(weights, options.max_shard_bytes);
  std::map<std::string, std::string> weight_map;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const std::string file =
        shards.size() == 1 ? kWeightsName
                           : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    write_shard(folder / file, shards[i], weights, stop);
    for (const std::string& name : shards[i]) weight_map.emplace(name, file);
    report.files.push_back(file);
  }
  if (shards.size() > 1) write_weight_map(folder, weight_map, report.bytes);
}

}  // namespace

std::optional<ConversionReport> convert_weights(const fs::path& from, const fs::path& to,
                                                const ConversionOptions& options,
                                                const std::stop_token& stop) {
  std::error_code ignored;
  if (fs::exists(to, ignored)) {
    throw ConfigError({to.string(), "is there already", "remove it, or write to another folder"});
  }
  const ForeignWeights read = ForeignWeights::open(from);
  const fs::path beside = fs::is_directory(from, ignored) ? from : from.parent_path();
  ConvertedWeights weights = plan_weights(read);
  if (weights.empty())
    throw CheckpointError({from.string(), "has no tensors", "pass the file of the weights"});
  ConversionReport report;
  report.left_out = read.left_out();
  if (unwrap_peft(weights, options.lora_alpha) == 0 && options.lora_alpha) {
    throw ConfigError({"--lora-alpha", "no LoRA weights stand among the others", "leave it out"});
  }
  if (!options.adapter.empty()) add_adapter(weights, read_adapter(options.adapter));
  if (has_tied_head(beside)) {
    const std::string head = drop_tied_head(weights);
    if (!head.empty()) report.left_out.push_back(head);
  }
  if (options.dtype) cast_weights(weights, stored_type_of(*options.dtype));
  for (const auto& [name, weight] : weights) {
    ++report.tensors;
    if (__builtin_add_overflow(report.bytes, bytes_written(weight), &report.bytes))
      throw CheckpointError({from.string(), "has tensors larger than any disk", "check the file"});
    report.merged += weight.changes.empty() ? 0 : 1;
  }
  try {
    DirectoryCommit folder(to, report.bytes);
    copy_model_files(beside, folder.path(), to);
    write_shards(folder.path(), weights, options, stop, report);
    folder.commit();
  } catch (const Stopped&) {
    return std::nullopt;
  }
  return report;
}

}  // namespace tarsier
