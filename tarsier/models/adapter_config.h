#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/text/regex.h"

namespace tarsier {

inline constexpr char kAdapterConfigName[] = "adapter_config.json";
inline constexpr char kAdapterWeightsName[] = "adapter_model.safetensors";

/// Whether a module's name is `name` or ends with it behind a dot: PEFT's target_modules.
bool ends_with_name(std::string_view module, const std::string& name);

/// adapter_config.json of a LoRA adapter as PEFT writes it. A module is named as in the model the
/// adapter was trained on: "model.layers.0.self_attn.q_proj". Source: peft/tuners/lora/config.py,
/// peft/tuners/tuners_utils.py of PEFT 0.21.2.
class AdapterConfig {
 public:
  /// CheckpointError naming the key: another kind of adapter, a setting that would change the
  /// result and is not supported (DoRA, biases, replicated layers), a key that is not known.
  explicit AdapterConfig(const JsonView& json);

  std::int64_t rank_of(std::string_view module) const;
  double scale_of(std::string_view module) const;  // alpha / rank, or alpha / sqrt(rank)
  bool targets(std::string_view module) const;     // a dense layer that gets a low-rank change
  bool replaces(std::string_view tensor) const;    // in one of modules_to_save
  /// Whether it changes some layers of the decoder only.
  bool has_layer_choice() const { return !layers_.empty(); }
  const std::string& base_model() const { return base_model_; }  // "" when not said
  const std::string& text() const { return text_; }              // the JSON it was read from

 private:
  /// Names, of which one ends a module's name, or one pattern of the whole name.
  struct Modules {
    std::vector<std::string> names;
    std::shared_ptr<const Regex> pattern;
    bool all_linear = false;
    bool hold(std::string_view module) const;
  };
  struct Pattern {
    std::shared_ptr<const Regex> module;
    double value;
  };
  static Modules read_modules(const JsonView& json, const char* key);
  static std::vector<Pattern> read_patterns(const JsonView& json, const char* key);
  double choose(const std::vector<Pattern>& patterns, std::string_view module,
                double otherwise) const;

  std::int64_t rank_ = 0;
  double alpha_ = 0;
  bool rank_stabilized_ = false;
  std::vector<Pattern> rank_pattern_, alpha_pattern_;
  Modules targets_, excluded_;
  std::vector<std::string> replaced_;
  std::vector<std::int64_t> layers_;
  std::string base_model_;
  std::string text_;
};

}  // namespace tarsier
