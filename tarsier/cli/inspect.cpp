#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/checkpoint/rename.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/checkpoint/shards.h"
#include "tarsier/checkpoint/weight_index.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/commands.h"
#include "tarsier/cli/default_model.h"
#include "tarsier/cli/inspect_rounds.h"
#include "tarsier/models/registry.h"

namespace tarsier {
namespace {

// The settings that say what kind of model it is; the rest is in the file itself.
constexpr const char* kSettings[] = {
    "architectures",
    "model_type",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "intermediate_size",
    "vocab_size",
    "tie_word_embeddings",
    "torch_dtype",
    "dtype",
};
constexpr const char* kNestedSettings[] = {"text_config", "vision_config"};
constexpr const char* kVisionSettings[] = {"depth", "embed_dim", "num_heads", "patch_size",
                                           "spatial_merge_size"};

// What a tensor is part of, by its name: in any family, in any layout.
std::string part_of(std::string_view name) {
  const auto holds = [&](std::string_view part) { return name.find(part) != name.npos; };
  if (holds("merger.")) return "merger";
  if (holds("projector.")) return "projector";
  if (holds("visual.") || holds("vision_tower.")) return "vision tower";
  if (holds("audio.") || holds("speech") || holds("final_linear.")) return "sound";
  if (holds("embed_tokens.")) return "embedding";
  if (holds("lm_head.")) return "output head";
  return holds("layers.") || holds("norm.") ? "decoder" : "other";
}

std::int64_t elements_of(const TensorView& tensor) {
  std::int64_t elements = 1;  // cannot overflow: the parser compared it with the bytes of the file
  for (const std::int64_t size : tensor.shape) elements *= size;
  return elements;
}

void take_settings(const JsonView& from, std::span<const char* const> keys,
                   nlohmann::ordered_json& to) {
  for (const char* key : keys) {
    if (const auto value = from.find(key)) to[key] = value->raw();
  }
}

nlohmann::ordered_json settings_of(const std::filesystem::path& directory) {
  nlohmann::ordered_json settings = nlohmann::ordered_json::object();
  const JsonView config = read_json(directory / "config.json", JsonOwner::checkpoint);
  take_settings(config, kSettings, settings);
  for (const char* nested : kNestedSettings) {
    const auto inner = config.find(nested);
    if (!inner || !inner->is_object()) continue;
    nlohmann::ordered_json values = nlohmann::ordered_json::object();
    take_settings(*inner, kSettings, values);
    take_settings(*inner, kVisionSettings, values);
    settings[nested] = std::move(values);
  }
  return settings;
}

template <class Tensors>
void add_tensors(const Tensors& tensors, nlohmann::ordered_json& json) {
  std::map<std::string, std::int64_t> parts, dtypes;
  std::int64_t parameters = 0, bytes = 0;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& [name, tensor] : tensors) {
    const std::int64_t elements = elements_of(tensor);
    parameters += elements;
    bytes += static_cast<std::int64_t>(tensor.bytes.size());
    parts[part_of(name)] += elements;
    dtypes[std::string(name_of(tensor.dtype))] += elements;
    list.push_back({{"name", name},
                    {"dtype", name_of(tensor.dtype)},
                    {"shape", tensor.shape},
                    {"bytes", tensor.bytes.size()}});
  }
  json["parameters"] = parameters;
  json["bytes"] = bytes;
  json["parameters_by_part"] = parts;
  json["parameters_by_dtype"] = dtypes;
  json["tensors"] = std::move(list);
}

/// A model whose weights are not here: the tensors that config.json asks for.
void add_network(const std::filesystem::path& directory, const WeightIndex& index,
                 nlohmann::ordered_json& json) {
  Network network = read_network(directory);
  std::map<std::string, std::int64_t> parts;
  std::set<std::string> paths;
  std::int64_t parameters = 0;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  const TensorVisitor add = [&](const std::string& path, Tensor& tensor) {
    const std::string name = invert_renames(network.published_names, path).value_or(path);
    parameters += tensor.numel();
    parts[part_of(name)] += tensor.numel();
    paths.insert(path);
    list.push_back({{"name", name}, {"dtype", nullptr}, {"shape", tensor.sizes().vec()}});
  };
  CausalDecoder decoder(network.decoder);
  network.encoder->visit(Scope(add));
  decoder.visit(Scope(add));
  if (const std::int64_t unused = network.encoder->unused_parameters(); unused > 0) {
    parameters += unused;
    parts["unused"] = unused;
  }
  for (const auto& [name, file] : index.file_of) {
    if (const auto path = apply_renames(network.names, name)) paths.erase(*path);
  }
  json["weights_here"] = false;
  json["parameters"] = parameters;
  json["bytes"] = index.total_bytes ? nlohmann::ordered_json(*index.total_bytes) : nullptr;
  json["parameters_by_part"] = parts;
  json["parameters_by_dtype"] = nlohmann::ordered_json::object();
  json["missing_from_index"] = paths;
  json["tensors"] = std::move(list);
}

nlohmann::ordered_json examine(const std::filesystem::path& path) {
  nlohmann::ordered_json json;
  if (std::filesystem::is_directory(path)) {
    json["config"] = settings_of(path);
    if (const auto index = index_without_weights(path)) {
      json["files"] = index->files();
      add_network(path, *index, json);
      return json;
    }
    const Checkpoint checkpoint = Checkpoint::open(path);
    json["files"] = checkpoint.files();
    add_tensors(checkpoint.tensors(), json);
  } else {
    const SafetensorsFile file(path);
    json["files"] = {path.filename().string()};
    json["metadata"] = file.metadata();
    add_tensors(file.tensors(), json);
  }
  return json;
}

std::string compact(const nlohmann::ordered_json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string counts(const nlohmann::ordered_json& by_name, std::int64_t all) {
  std::string text;
  for (const auto& [name, count] : by_name.items()) {
    const auto part = count.get<std::int64_t>();
    const double share =
        all == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(all);
    text += fmt::format("  {:<14} {:>15} {:5.1f} %\n", name, part, share);
  }
  return text;
}

std::string as_text(const nlohmann::ordered_json& json) {
  std::string text;
  const auto settings = [&text](const nlohmann::ordered_json& values, std::string_view indent) {
    for (const auto& [key, value] : values.items()) {
      if (!value.is_object()) text += fmt::format("{}{}: {}\n", indent, key, compact(value));
    }
  };
  if (json.contains("config")) {
    settings(json["config"], "");
    for (const auto& [key, value] : json["config"].items()) {
      if (!value.is_object()) continue;
      text += key + ":\n";
      settings(value, "  ");
    }
  }
  const auto parameters = json["parameters"].get<std::int64_t>();
  text +=
      fmt::format("files: {}\n", fmt::join(json["files"].get<std::vector<std::string>>(), ", "));
  text += fmt::format("parameters: {}, {} bytes\n", parameters,
                      json["bytes"].is_null() ? "unknown" : json["bytes"].dump());
  text += counts(json["parameters_by_part"], parameters);
  if (json.contains("weights_here")) {
    text += "the weights are not here: shapes are what config.json asks for\n";
    if (!json["missing_from_index"].empty())
      text +=
          fmt::format("missing from the index: {}\n",
                      fmt::join(json["missing_from_index"].get<std::vector<std::string>>(), ", "));
  } else {
    text += "stored as:\n" + counts(json["parameters_by_dtype"], parameters);
  }
  text += fmt::format("tensors: {}\n", json["tensors"].size());
  for (const auto& tensor : json["tensors"]) {
    text += fmt::format("  {} {} [{}]\n", tensor["name"].get<std::string>(),
                        tensor["dtype"].is_null() ? "-" : tensor["dtype"].get<std::string>(),
                        fmt::join(tensor["shape"].get<std::vector<std::int64_t>>(), ", "));
  }
  return text;
}

}  // namespace

int run_inspect(const CommandContext& /*context*/, Arguments arguments) {
  CLI::App app;
  OutputFlags output;
  std::string path;
  describe_command(
      app, "inspect",
      "What a model directory or a safetensors file holds: settings, parameters, tensors; of a "
      "folder of train mrdpo the lineage of its rounds.",
      {"tarsier inspect assets/tarsier-nano", "tarsier inspect model.safetensors --json",
       "tarsier inspect runs/mrdpo"});
  add_output_flags(app, output);
  app.add_option(
      "PATH", path,
      "Model directory, one safetensors file, or a folder of rounds; without it, the model that "
      "comes with tarsier");
  if (!parse_arguments(app, arguments)) return kExitOk;

  if (holds_rounds(path)) {
    const nlohmann::ordered_json rounds = examine_rounds(path);
    print_answer(output.json ? compact(rounds) + "\n" : rounds_text(rounds));
    return kExitOk;
  }
  std::error_code ignored;
  const bool is_file = std::filesystem::is_regular_file(path, ignored);
  const nlohmann::ordered_json json =
      examine(is_file ? std::filesystem::path(path) : model_directory(path));
  print_answer(output.json ? compact(json) + "\n" : as_text(json));
  return kExitOk;
}

}  // namespace tarsier
