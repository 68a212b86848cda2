#include "tarsier/models/adapters.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <set>
#include <span>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/rename.h"
#include "tarsier/tensor/shape.h"

namespace tarsier {
namespace {

[[noreturn]] void refuse(const std::string& name, std::string what) {
  throw CheckpointError({fmt::format("{}: {}", kAdapterWeightsName, name), std::move(what),
                         "the adapter belongs to another base model"});
}

// Turns names in any layout that the family or rename.h knows into our paths.
class Paths {
 public:
  explicit Paths(VideoLanguageModel& model) : rules_{model.published_names(), kQwen2VlNames} {
    model.visit(Scope([&](const std::string& path, Tensor&) { paths_.insert(path); }));
  }

  // Adds our path -> `name` for the tensor `name` + `end`.
  void place(const std::string& name, std::string_view end,
             std::map<std::string, std::string>& names) const {
    const auto [place, is_new] = names.emplace(path_of(name + std::string(end)), name);
    if (!is_new) refuse(name, fmt::format("is the same part of the model as {}", place->second));
  }

 private:
  std::string path_of(const std::string& name) const {
    if (paths_.contains(name)) return name;
    for (const std::span<const Rename> rules : rules_) {
      const std::optional<std::string> path = apply_renames(rules, name);
      if (path && paths_.contains(*path)) return *path;
    }
    refuse(name, "is no tensor of this model");
  }

  std::array<std::span<const Rename>, 2> rules_;
  std::set<std::string> paths_;
};

void check_delta(const std::string& name, const LoraDelta& delta, const Tensor& weight) {
  const bool dense = weight.dim() == 2 && !name.ends_with("embed_tokens");
  if (dense && delta.a.size(1) == weight.size(1) && delta.b.size(0) == weight.size(0)) return;
  refuse(name, fmt::format("has lora_A {} and lora_B {} for a layer with the weight {}",
                           shape_text(delta.a.sizes()), shape_text(delta.b.sizes()),
                           shape_text(weight.sizes())));
}

void note_other_base(const ModelInfo& model, const std::string& base) {
  const std::string name = std::filesystem::path(base).filename().string();
  if (!name.empty() && name != model.name)
    log_info(fmt::format("the adapter was trained on {}, this model is {}", base, model.name));
}

}  // namespace

Adapters::Adapters(VideoLanguageModel& model) : model_(model) {}

Adapters::~Adapters() { off(); }

Adapters::Fitted Adapters::fit(Adapter adapter) const {
  Fitted fitted{std::move(adapter), {}, {}};
  std::map<std::string, std::string> layers, tensors;  // our path -> the adapter's name
  const Paths paths(model_);
  for (const auto& [name, delta] : fitted.file.deltas) paths.place(name, ".weight", layers);
  for (const auto& [name, tensor] : fitted.file.replaced) paths.place(name, "", tensors);
  model_.visit(Scope([&](const std::string& path, Tensor& own) {
    if (const auto layer = layers.find(path); layer != layers.end()) {
      const LoraDelta& delta = fitted.file.deltas.at(layer->second);
      check_delta(layer->second, delta, own);
      fitted.deltas.emplace(
          path, std::make_shared<const LoraDelta>(
                    LoraDelta{delta.a.to(own.device()), delta.b.to(own.device()), delta.scale}));
    }
    if (const auto tensor = tensors.find(path); tensor != tensors.end()) {
      const Tensor& other = fitted.file.replaced.at(tensor->second);
      if (other.sizes() != own.sizes()) {
        refuse(tensor->second, fmt::format("is {}, in this model it is {}",
                                           shape_text(other.sizes()), shape_text(own.sizes())));
      }
      fitted.replaced.emplace(path, other.to(own.device(), own.scalar_type()));
    }
  }));
  return fitted;
}

void Adapters::load(const std::string& name, const std::filesystem::path& directory) {
  check(!loaded_.contains(name), "an adapter's name is used once");
  check(in_use_.empty(), "adapters are loaded while none is in use");
  Adapter adapter = read_adapter(directory);
  note_other_base(model_.info(), adapter.config.base_model());
  loaded_.emplace(name, fit(std::move(adapter)));
}

const Adapters::Fitted& Adapters::find(const std::string& name) const {
  const auto found = loaded_.find(name);
  check(found != loaded_.end(), "an adapter is loaded before it is used");
  return found->second;
}

void Adapters::use(const std::string& name, AdapterMode mode) {
  const Fitted& adapter = find(name);
  off();
  model_.visit(Scope([&](const std::string& path, Tensor& tensor) {
    const auto replaced = adapter.replaced.find(path);
    const auto changed = adapter.deltas.find(path);
    if (replaced == adapter.replaced.end() && changed == adapter.deltas.end()) return;
    own_.emplace(path, tensor);
    if (replaced != adapter.replaced.end()) tensor = replaced->second;
    if (changed == adapter.deltas.end()) return;
    tensor = mode == AdapterMode::apart ? with_lora(tensor, changed->second)
                                        : merged_weight(tensor, *changed->second);
  }));
  in_use_ = name;
}

void Adapters::off() {
  if (in_use_.empty()) return;
  model_.visit(Scope([&](const std::string& path, Tensor& tensor) {
    const auto found = own_.find(path);
    if (found != own_.end()) tensor = found->second;
  }));
  own_.clear();
  in_use_.clear();
}

void Adapters::save(const std::string& name, const std::filesystem::path& directory) const {
  write_adapter(find(name).file, directory);
}

}  // namespace tarsier
