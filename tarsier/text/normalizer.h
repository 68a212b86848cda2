#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/text/replace_rule.h"

namespace tarsier {

/// Steps of normalisation.
struct ComposeNfc {};
struct Prepend {
  std::string text;
};
using NormalizerStep = std::variant<ComposeNfc, Prepend, ReplaceRule>;

/// The "normalizer" of tokenizer.json: NFC, Prepend, Replace of strings, and Sequences of them.
/// Immutable; thread-safe.
class Normalizer {
 public:
  explicit Normalizer(std::vector<NormalizerStep> steps = {}) : steps_(std::move(steps)) {}

  /// CheckpointError names any other kind, and steps that could blow a text up.
  static Normalizer parse(const std::optional<JsonView>& json);

  /// The steps in turn; text that is empty stays so.
  std::string apply(std::string_view utf8) const;

 private:
  std::vector<NormalizerStep> steps_;
};

}  // namespace tarsier
