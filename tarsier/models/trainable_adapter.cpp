#include "tarsier/models/trainable_adapter.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/rename.h"
#include "tarsier/models/adapter_file.h"

namespace tarsier {
namespace {

constexpr std::string_view kWeight = ".weight";

std::string published_name(const VideoLanguageModel& model, const std::string& path) {
  const std::optional<std::string> name = invert_renames(model.published_names(), path);
  check(name.has_value(), "every weight has a published name");
  return *name;
}

bool is_dense(const std::string& path, const Tensor& weight) {
  return weight.dim() == 2 && path.ends_with(kWeight) && !path.ends_with("embed_tokens.weight");
}

}  // namespace

TrainableAdapter::TrainableAdapter(VideoLanguageModel& model, const AdapterShape& shape,
                                   std::uint64_t seed)
    : shape_(shape) {
  at::Generator random = at::detail::createCPUGenerator(seed);
  std::set<std::string> used;
  const TensorVisitor attach = [&](const std::string& path, Tensor& weight) {
    if (!is_dense(path, weight)) return;
    const std::string layer = path.substr(0, path.size() - kWeight.size());
    std::string module = published_name(model, path);
    module.resize(module.size() - kWeight.size());
    const auto target =
        std::find_if(shape.target_modules.begin(), shape.target_modules.end(),
                     [&](const std::string& name) { return ends_with_name(module, name); });
    if (target == shape.target_modules.end()) return;
    if (path == "lm_head.weight")
      throw ConfigError({"adapter.target_modules",
                         fmt::format("'{}' is the output head, which gets no adapter", *target),
                         "name dense layers inside the model"});
    used.insert(*target);
    check(lora_of(weight) == nullptr, "a model carries one adapter at a time");
    const double bound = 1 / std::sqrt(static_cast<double>(weight.size(1)));
    LoraDelta delta{at::empty({shape.rank, weight.size(1)}, at::kFloat)
                        .uniform_(-bound, bound, random)
                        .to(weight.device()),
                    at::zeros({weight.size(0), shape.rank}, weight.options().dtype(at::kFloat)),
                    shape.alpha / static_cast<double>(shape.rank), layers_.size()};
    delta.a.requires_grad_(true);
    delta.b.requires_grad_(true);
    layers_.push_back({layer, module, std::make_shared<const LoraDelta>(delta)});
    weight = with_lora(weight.requires_grad_(false), layers_.back().delta);
  };
  model.visit(Scope(attach));
  for (const std::string& target : shape.target_modules) {
    if (!used.contains(target))
      throw ConfigError({"adapter.target_modules",
                         fmt::format("'{}' is the end of no dense layer's name", target),
                         "use names such as q_proj or gate_proj"});
  }
}

void TrainableAdapter::save(VideoLanguageModel& model, const std::vector<std::string>& replaced,
                            const std::string& base_model,
                            const std::filesystem::path& directory) const {
  nlohmann::json config = {{"peft_type", "LORA"},
                           {"task_type", "CAUSAL_LM"},
                           {"base_model_name_or_path", base_model},
                           {"r", shape_.rank},
                           {"lora_alpha", shape_.alpha},
                           {"lora_dropout", shape_.dropout},
                           {"bias", "none"},
                           {"inference_mode", true},
                           {"target_modules", shape_.target_modules}};
  std::map<std::string, Tensor> tensors;
  std::set<std::string> modules;
  const TensorVisitor find = [&](const std::string& path, Tensor& weight) {
    if (std::find(replaced.begin(), replaced.end(), path) == replaced.end()) return;
    const std::string name = published_name(model, path);
    tensors[name] = weight;
    modules.insert(name.substr(0, name.rfind('.')));
  };
  model.visit(Scope(find));
  if (!modules.empty()) config["modules_to_save"] = modules;
  Adapter adapter{
      AdapterConfig(parse_json(config.dump(), kAdapterConfigName, JsonOwner::checkpoint)),
      {},
      std::move(tensors)};
  for (const Layer& layer : layers_) adapter.deltas[layer.module] = *layer.delta;
  write_adapter(adapter, directory);
}

}  // namespace tarsier
