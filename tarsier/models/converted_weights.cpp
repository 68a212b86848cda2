#include "tarsier/models/converted_weights.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/rename.h"
#include "tarsier/models/stored_tensor.h"
#include "tarsier/tensor/shape.h"

namespace tarsier {
namespace {

constexpr std::string_view kWrapper = "base_model.model.", kBase = ".base_layer.";
constexpr std::string_view kA = ".lora_A.default.weight", kB = ".lora_B.default.weight";
constexpr std::string_view kSaved = ".modules_to_save.default.", kOriginal = ".original_module.";

bool is_float(DType dtype) {
  return dtype == DType::f32 || dtype == DType::bf16 || dtype == DType::f16 || dtype == DType::f64;
}

[[noreturn]] void refuse(const std::string& where, std::string what, std::string hint) {
  throw CheckpointError({where, std::move(what), std::move(hint)});
}

// `name` with the first `part` replaced, or nullopt without it.
std::optional<std::string> replaced(const std::string& name, std::string_view part,
                                    std::string_view by) {
  const std::size_t at = name.find(part);
  if (at == std::string::npos) return std::nullopt;
  return name.substr(0, at) + std::string(by) + name.substr(at + part.size());
}

void check_change(const std::string& name, const ConvertedWeight& weight, const LoraDelta& delta,
                  const std::string& whose) {
  const at::IntArrayRef shape = weight.source.shape;
  if (is_float(weight.source.dtype) && shape.size() == 2 && delta.b.size(0) == shape[0] &&
      delta.a.size(1) == shape[1] && delta.a.size(0) == delta.b.size(1))
    return;
  refuse(whose,
         fmt::format("has lora_A {} and lora_B {} for {}, which is {} {}",
                     shape_text(delta.a.sizes()), shape_text(delta.b.sizes()), name,
                     name_of(weight.source.dtype), shape_text(shape)),
         "the adapter belongs to another base model");
}

// The weights by the layouts that rename.h knows, for adapters saved from another one.
std::map<std::string, std::string> names_by_path(const ConvertedWeights& weights) {
  std::map<std::string, std::string> names;
  for (const auto& [name, weight] : weights) {
    if (const auto path = apply_renames(kQwen2VlNames, name)) names.emplace(*path, name);
  }
  return names;
}

}  // namespace

ConvertedWeights plan_weights(const ForeignWeights& weights) {
  ConvertedWeights planned;
  for (const auto& [name, tensor] : weights.tensors())
    planned.emplace(name, ConvertedWeight{tensor.view, tensor.file, {}, {}, tensor.view.dtype});
  return planned;
}

std::int64_t unwrap_peft(ConvertedWeights& weights, std::optional<double> alpha) {
  const auto is_wrapped = [](const auto& entry) { return entry.first.starts_with(kWrapper); };
  if (weights.empty() || !std::all_of(weights.begin(), weights.end(), is_wrapped)) return 0;
  ConvertedWeights own;
  std::map<std::string, LoraDelta> deltas;
  std::map<std::string, ConvertedWeight> saved;
  std::string file;
  for (auto& [wrapped, weight] : weights) {
    const std::string name = wrapped.substr(kWrapper.size());
    file = weight.file;
    if (name.ends_with(kA)) {
      deltas[name.substr(0, name.size() - kA.size())].a =
          copy_of(weight.source, weight.file).to(at::kFloat);
    } else if (name.ends_with(kB)) {
      deltas[name.substr(0, name.size() - kB.size())].b =
          copy_of(weight.source, weight.file).to(at::kFloat);
    } else if (name.find(".lora_") != std::string::npos) {
      refuse(weight.file + ": " + wrapped, "is of a kind of LoRA that is not supported",
             "merge it by PEFT, and convert the merged model");
    } else if (const auto trained = replaced(name, kSaved, ".")) {
      saved.emplace(*trained, std::move(weight));
    } else if (name.find(kOriginal) != std::string::npos) {
      continue;  // what modules_to_save stands in for
    } else {
      own.emplace(replaced(name, kBase, ".").value_or(name), std::move(weight));
    }
  }
  for (auto& [name, weight] : saved) own.insert_or_assign(name, std::move(weight));
  for (auto& [module, delta] : deltas) {
    const std::string where = file + ": " + module;
    if (!alpha) {
      refuse(where, "has a LoRA change, and no file says its alpha",
             "pass --lora-alpha; video-SALMONN 2 trains with 256");
    }
    if (!delta.a.defined() || !delta.b.defined() || delta.a.dim() != 2 || delta.b.dim() != 2 ||
        delta.a.size(0) == 0)
      refuse(where, "has no whole pair of lora_A and lora_B", "download the file again");
    const auto base = own.find(module + ".weight");
    if (base == own.end()) refuse(where, "has a LoRA change and no weight", "convert all files");
    delta.scale = *alpha / static_cast<double>(delta.a.size(0));
    check_change(base->first, base->second, delta, where);
    base->second.changes.push_back(delta);
  }
  weights = std::move(own);
  return std::ssize(deltas);
}

void add_adapter(ConvertedWeights& weights, const Adapter& adapter) {
  const std::map<std::string, std::string> by_path = names_by_path(weights);
  const auto find = [&](const std::string& name) -> ConvertedWeights::iterator {
    const auto exact = weights.find(name);
    if (exact != weights.end()) return exact;
    const std::optional<std::string> path = apply_renames(kQwen2VlNames, name);
    const auto known = path ? by_path.find(*path) : by_path.end();
    if (known != by_path.end()) return weights.find(known->second);
    refuse(fmt::format("{}: {}", kAdapterWeightsName, name), "is no tensor of the base model",
           "the adapter belongs to another base model");
  };
  for (const auto& [module, delta] : adapter.deltas) {
    const auto base = find(module + ".weight");
    check_change(base->first, base->second, delta,
                 fmt::format("{}: {}", kAdapterWeightsName, module));
    base->second.changes.push_back(delta);
  }
  for (const auto& [name, tensor] : adapter.replaced) {
    const auto base = find(name);
    if (at::IntArrayRef(base->second.source.shape) != tensor.sizes()) {
      refuse(fmt::format("{}: {}", kAdapterWeightsName, name),
             fmt::format("is {}, in the base model it is {}", shape_text(tensor.sizes()),
                         shape_text(base->second.source.shape)),
             "the adapter belongs to another base model");
    }
    base->second.replacement = tensor;
  }
}

std::string drop_tied_head(ConvertedWeights& weights) {
  const auto ending = [&](std::string_view end) {
    return std::find_if(weights.begin(), weights.end(),
                        [&](const auto& entry) { return entry.first.ends_with(end); });
  };
  const auto head = ending("lm_head.weight"), embedding = ending("embed_tokens.weight");
  if (head == weights.end() || embedding == weights.end()) return "";
  const StridedTensor &a = head->second.source, &b = embedding->second.source;
  if (a.storage.data() != b.storage.data() || a.shape != b.shape || a.strides != b.strides)
    return "";
  const std::string name = head->first;
  weights.erase(head);
  return name;
}

void cast_weights(ConvertedWeights& weights, DType dtype) {
  for (auto& [name, weight] : weights) {
    if (is_float(weight.source.dtype)) weight.dtype = dtype;
  }
}

bool is_unchanged(const ConvertedWeight& weight) {
  return weight.changes.empty() && !weight.replacement.defined() &&
         weight.dtype == weight.source.dtype;
}

Tensor finished_weight(const std::string& name, const ConvertedWeight& weight) {
  Tensor tensor =
      weight.replacement.defined() ? weight.replacement : copy_of(weight.source, weight.file);
  if (!is_float(weight.dtype)) return tensor.contiguous();
  if (!weight.changes.empty()) tensor = tensor.to(at::kFloat);
  for (const LoraDelta& change : weight.changes) tensor = merged_weight(tensor, change);
  const Tensor cast = tensor.to(*scalar_type_of(weight.dtype)).contiguous();
  if (at::isinf(cast).logical_and_(at::isfinite(tensor)).any().item<bool>()) {
    refuse(weight.file + ": " + name,
           fmt::format("has values up to {:g}, which {} cannot hold",
                       tensor.abs().max().item<double>(), name_of(weight.dtype)),
           "pass --dtype bf16 or f32");
  }
  return cast;
}

}  // namespace tarsier
