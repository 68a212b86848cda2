#pragma once

#include <string>
#include <string_view>

#include "tarsier/base/json.h"

namespace tarsier {

/// "Replace" of normalizers and decoders: every occurrence of one string becomes another.
struct ReplaceRule {
  std::string from;  // not empty
  std::string to;

  /// CheckpointError for a regular expression and an empty pattern.
  static ReplaceRule parse(const JsonView& json);

  std::string apply(std::string_view utf8) const;
};

/// How many times longer the stages of a file may make a text, one after another. Real files need
/// 9; without a bound a few rules would make gigabytes of one line.
class GrowthBudget {
 public:
  /// Counts one more stage that makes texts up to `factor` times as long; CheckpointError at
  /// `stage` when all of them together exceed 64, or are over 16 stages.
  void spend(double factor, const JsonView& stage);
  void spend(const ReplaceRule& rule, const JsonView& stage);

 private:
  double left_ = 64;
  int stages_left_ = 16;
};

}  // namespace tarsier
