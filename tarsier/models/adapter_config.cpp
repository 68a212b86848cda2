#include "tarsier/models/adapter_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

constexpr std::int64_t kMaxRank = 1 << 16;
constexpr char kMergeIt[] = "merge the adapter by PEFT, and use the merged model";

// Keys that change nothing about what a stored adapter computes.
constexpr std::string_view kWithoutEffect[] = {
    "task_type",    "auto_mapping",  "peft_version",      "revision",       "inference_mode",
    "lora_dropout", "megatron_core", "qalora_group_size", "layers_pattern", "loftq_config",
    "eva_config",   "corda_config",  "lora_ga_config",    "runtime_config"};

// Keys of variants that compute something else; they must be off.
constexpr std::string_view kMustBeOff[] = {"use_dora",
                                           "use_qalora",
                                           "use_bdlora",
                                           "fan_in_fan_out",
                                           "lora_bias",
                                           "megatron_config",
                                           "trainable_token_indices",
                                           "velora_config",
                                           "alora_invocation_tokens",
                                           "monteclora_config",
                                           "layer_replication",
                                           "target_parameters",
                                           "arrow_config",
                                           "kasa_config",
                                           "ensure_weight_tying"};

constexpr std::string_view kUsed[] = {"peft_type",
                                      "r",
                                      "lora_alpha",
                                      "use_rslora",
                                      "rank_pattern",
                                      "alpha_pattern",
                                      "target_modules",
                                      "exclude_modules",
                                      "modules_to_save",
                                      "bias",
                                      "init_lora_weights",
                                      "layers_to_transform",
                                      "base_model_name_or_path"};

template <std::size_t n>
bool is_one_of(const std::string_view (&names)[n], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool is_off(const JsonView& value) {
  if (value.is_null()) return true;
  if (value.is_bool()) return !value.as_bool();
  return (value.is_array() || value.is_object()) && value.size() == 0;
}

void check_keys(const JsonView& json) {
  for (const std::string& key : json.keys()) {
    if (is_one_of(kUsed, key) || is_one_of(kWithoutEffect, key)) continue;
    const JsonView value(json.at(key));
    if (!is_one_of(kMustBeOff, key)) value.fail("is a setting that is not known", kMergeIt);
    if (!is_off(value)) value.fail("is a setting that is not supported", kMergeIt);
  }
}

// How the adapter's matrices began; some ways also changed the base's weights.
void check_initialization(const JsonView& json) {
  const std::optional<JsonView> way = json.find("init_lora_weights");
  if (!way || way->is_bool()) return;
  if (way->as_string() != "gaussian" && way->as_string() != "orthogonal" &&
      way->as_string() != "eva") {
    way->fail(
        fmt::format("'{}' is not supported: it changes the base model's weights", way->as_string()),
        "save the adapter again with PEFT's path_initial_model_for_weight_conversion");
  }
}

// The number N of the first ".N." in a module's name, -1 without one.
std::int64_t layer_of(std::string_view module) {
  for (std::size_t dot = module.find('.'); dot != std::string_view::npos;
       dot = module.find('.', dot + 1)) {
    const std::size_t end = module.find('.', dot + 1);
    if (end == std::string_view::npos) break;
    const std::string_view part = module.substr(dot + 1, end - dot - 1);
    if (!part.empty() && part.size() < 10 &&
        part.find_first_not_of("0123456789") == std::string_view::npos)
      return std::stoll(std::string(part));
  }
  return -1;
}

}  // namespace

bool ends_with_name(std::string_view module, const std::string& name) {
  return module == name || module.ends_with("." + name);
}

AdapterConfig::AdapterConfig(const JsonView& json) {
  const std::string& type = json.at("peft_type").as_string();
  if (type != "LORA") {
    json.at("peft_type").fail(fmt::format("'{}' is not supported", type), "supported: LORA");
  }
  check_keys(json);
  check_initialization(json);
  if (json.string_or("bias", "none") != "none")
    json.at("bias").fail("trained biases are not supported", kMergeIt);
  rank_ = json.at("r").as_int(1, kMaxRank);
  alpha_ = json.at("lora_alpha").as_double();
  rank_stabilized_ = json.bool_or("use_rslora", false);
  rank_pattern_ = read_patterns(json, "rank_pattern");
  alpha_pattern_ = read_patterns(json, "alpha_pattern");
  targets_ = read_modules(json, "target_modules");
  excluded_ = read_modules(json, "exclude_modules");
  replaced_ = read_modules(json, "modules_to_save").names;
  if (const auto layers = json.find("layers_to_transform"))
    layers_ = layers->is_array() ? layers->as_ints() : std::vector{layers->as_int()};
  base_model_ = json.string_or("base_model_name_or_path", "");
  text_ = json.raw().dump(2);
}

AdapterConfig::Modules AdapterConfig::read_modules(const JsonView& json, const char* key) {
  Modules modules;
  const std::optional<JsonView> value = json.find(key);
  if (!value) return modules;
  if (value->is_string()) {
    modules.all_linear = value->as_string() == "all-linear";
    modules.pattern =
        std::make_shared<const Regex>(value->as_string(), fmt::format("{}: {}", json.file(), key));
    return modules;
  }
  for (std::int64_t i = 0; i < value->size(); ++i)
    modules.names.push_back(value->at(i).as_string());
  return modules;
}

std::vector<AdapterConfig::Pattern> AdapterConfig::read_patterns(const JsonView& json,
                                                                 const char* key) {
  std::vector<Pattern> patterns;
  const std::optional<JsonView> value = json.find(key);
  if (!value) return patterns;
  for (const std::string& name : value->keys()) {
    patterns.push_back({std::make_shared<const Regex>(fmt::format("(?:.*\\.)?(?:{})", name),
                                                      fmt::format("{}: {}", json.file(), key)),
                        value->at(name).as_double()});
  }
  return patterns;
}

bool AdapterConfig::Modules::hold(std::string_view module) const {
  if (all_linear) return true;
  if (pattern) return pattern->matches_whole(module);
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return ends_with_name(module, name); });
}

double AdapterConfig::choose(const std::vector<Pattern>& patterns, std::string_view module,
                             double otherwise) const {
  std::set<double> values;
  for (const Pattern& pattern : patterns) {
    if (pattern.module->matches_whole(module)) values.insert(pattern.value);
  }
  if (values.size() > 1) {
    throw CheckpointError({fmt::format("{}: {}", kAdapterConfigName, module),
                           "has two values by the patterns of rank_pattern or alpha_pattern",
                           "make the patterns exclude one another"});
  }
  return values.empty() ? otherwise : *values.begin();
}

std::int64_t AdapterConfig::rank_of(std::string_view module) const {
  return static_cast<std::int64_t>(choose(rank_pattern_, module, static_cast<double>(rank_)));
}

double AdapterConfig::scale_of(std::string_view module) const {
  const auto rank = static_cast<double>(rank_of(module));
  return choose(alpha_pattern_, module, alpha_) / (rank_stabilized_ ? std::sqrt(rank) : rank);
}

bool AdapterConfig::targets(std::string_view module) const {
  if (!targets_.hold(module)) return false;
  if ((excluded_.pattern || !excluded_.names.empty()) && excluded_.hold(module)) return false;
  return layers_.empty() ||
         std::find(layers_.begin(), layers_.end(), layer_of(module)) != layers_.end();
}

bool AdapterConfig::replaces(std::string_view tensor) const {
  return std::any_of(replaced_.begin(), replaced_.end(), [&](const std::string& module) {
    const std::string inside = module + ".";
    return tensor.starts_with(inside) || tensor.find("." + inside) != std::string_view::npos;
  });
}

}  // namespace tarsier
