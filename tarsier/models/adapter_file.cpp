#include "tarsier/models/adapter_file.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/directory_commit.h"
#include "tarsier/checkpoint/rename.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/models/stored_tensor.h"
#include "tarsier/tensor/shape.h"

namespace tarsier {
namespace {

constexpr std::string_view kPrefix = "base_model.model.";
constexpr std::string_view kA = ".lora_A.weight", kB = ".lora_B.weight";

[[noreturn]] void refuse(const std::string& tensor, std::string what, std::string hint) {
  throw CheckpointError(
      {fmt::format("{}: {}", kAdapterWeightsName, tensor), std::move(what), std::move(hint)});
}

Tensor read(const TensorView& view) {
  return copy_of({view.name, view.dtype, view.shape, contiguous_strides(view.shape), view.bytes},
                 kAdapterWeightsName);
}

void take(const TensorView& view, Adapter& adapter) {
  const std::string& full = view.name;
  if (!full.starts_with(kPrefix))
    refuse(full, fmt::format("does not begin with {}", kPrefix), "save the adapter by PEFT");
  const std::string name = full.substr(kPrefix.size());
  const bool is_a = name.ends_with(kA);
  if (is_a || name.ends_with(kB)) {
    const std::string module = name.substr(0, name.size() - kA.size());
    if (view.shape.size() != 2) refuse(full, "is no matrix", "supported: LoRA of dense layers");
    Tensor matrix = read(view);
    if (!matrix.is_floating_point()) refuse(full, "is of an integer type", "save it by PEFT again");
    LoraDelta& delta = adapter.deltas[module];
    (is_a ? delta.a : delta.b) = matrix.to(at::kFloat);
  } else if (name.find(".lora_") != std::string::npos) {
    refuse(full, "is of a kind of LoRA that is not supported", "supported: LoRA of dense layers");
  } else if (adapter.config.replaces(name)) {
    adapter.replaced[name] = read(view);
  } else {
    refuse(full, fmt::format("belongs to no module that {} names", kAdapterConfigName),
           "the two files belong to different adapters");
  }
}

void check_pair(const std::string& module, LoraDelta& delta, const AdapterConfig& config) {
  const std::string where = std::string(kPrefix) + module;
  if (!delta.a.defined() || !delta.b.defined())
    refuse(where, fmt::format("has no {}", delta.a.defined() ? "lora_B" : "lora_A"),
           "download the adapter again");
  const std::int64_t rank = config.rank_of(module);
  if (delta.a.size(0) != rank || delta.b.size(1) != rank) {
    refuse(
        where,
        fmt::format("has lora_A {} and lora_B {}, but rank {} by {}", shape_text(delta.a.sizes()),
                    shape_text(delta.b.sizes()), rank, kAdapterConfigName),
        "the two files belong to different adapters");
  }
  if (!config.targets(module)) {
    refuse(where, fmt::format("is none of target_modules in {}", kAdapterConfigName),
           "the two files belong to different adapters");
  }
  delta.scale = config.scale_of(module);
}

// A kind of layer that one layer of the decoder has must be in all: "layers.3.self_attn.q_proj".
void check_every_layer(const Adapter& adapter) {
  if (adapter.config.has_layer_choice()) return;
  std::map<std::string, std::set<std::int64_t>> layers_of_kind;
  std::map<std::string, std::int64_t> last_layer;  // by what stands before "layers."
  for (const auto& [module, delta] : adapter.deltas) {
    constexpr std::string_view kMark = "layers.";
    const std::size_t at = module.find(kMark);
    const std::size_t end = at == std::string::npos ? at : module.find('.', at + kMark.size());
    if (end == std::string::npos) continue;
    const std::string digits = module.substr(at + kMark.size(), end - at - kMark.size());
    if (digits.empty() || digits.size() > 4 ||
        digits.find_first_not_of("0123456789") != std::string::npos)
      continue;
    const std::string before = module.substr(0, at + kMark.size());
    const std::int64_t layer = std::stoll(digits);
    layers_of_kind[before + "*" + module.substr(end)].insert(layer);
    last_layer[before] = std::max(last_layer[before], layer);
  }
  for (const auto& [kind, layers] : layers_of_kind) {
    const std::size_t star = kind.find('*');
    for (std::int64_t i = 0; i <= last_layer[kind.substr(0, star)]; ++i) {
      if (layers.contains(i) ||
          !adapter.config.targets(std::string(kind).replace(star, 1, std::to_string(i))))
        continue;
      refuse(std::string(kPrefix) + kind, fmt::format("is missing for layer {}", i),
             "download the adapter again");
    }
  }
}

}  // namespace

Adapter read_adapter(const std::filesystem::path& directory) {
  for (const char* name : {kAdapterConfigName, kAdapterWeightsName}) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(directory / name, ignored)) continue;
    throw CheckpointError({directory.string(), fmt::format("has no {}", name),
                           "pass a directory that PEFT saved an adapter in"});
  }
  Adapter adapter{
      AdapterConfig(read_json(directory / kAdapterConfigName, JsonOwner::checkpoint)), {}, {}};
  const SafetensorsFile file(directory / kAdapterWeightsName);
  for (const auto& [name, view] : file.tensors()) take(view, adapter);
  for (auto& [module, delta] : adapter.deltas) check_pair(module, delta, adapter.config);
  check_every_layer(adapter);
  if (adapter.deltas.empty() && adapter.replaced.empty())
    throw CheckpointError({kAdapterWeightsName, "has no tensors", "download the adapter again"});
  return adapter;
}

void write_adapter(const Adapter& adapter, const std::filesystem::path& directory) {
  std::vector<Tensor> kept;
  std::vector<TensorView> views;
  std::int64_t bytes = 0;
  const auto add = [&](const std::string& name, const Tensor& tensor) {
    kept.push_back(tensor.detach().to(at::kCPU).contiguous());
    views.push_back(view_of(std::string(kPrefix) + name, kept.back()));
    bytes += static_cast<std::int64_t>(kept.back().nbytes());
  };
  for (const auto& [module, delta] : adapter.deltas) {
    add(module + std::string(kA), delta.a);
    add(module + std::string(kB), delta.b);
  }
  for (const auto& [name, tensor] : adapter.replaced) add(name, tensor);
  DirectoryCommit folder(directory, bytes);
  folder.write(kAdapterConfigName, std::string_view(adapter.config.text() + "\n"));
  write_safetensors(folder.path() / kAdapterWeightsName, views, {{"format", "pt"}});
  folder.commit();
}

}  // namespace tarsier
