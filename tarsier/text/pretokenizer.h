#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/text/regex.h"

namespace tarsier {

/// The "pre_tokenizer" of tokenizer.json: cuts normalised text into the words that byte pairs are
/// merged within. Knows Split(Regex or String, Isolated), ByteLevel and Sequences of them.
/// Immutable; thread-safe.
class Pretokenizer {
 public:
  /// CheckpointError names any other kind or option.
  static Pretokenizer parse(const JsonView& json);

  /// Calls `word` with each non-empty word, in order. InputError when a pattern reaches its limits.
  void split(std::string_view utf8, const std::function<void(std::string_view)>& word) const;

 private:
  struct Stage {
    bool add_prefix_space = false;
    std::optional<Regex> pattern;
  };
  void add_stages(const JsonView& json);
  void run(std::size_t stage, std::string_view utf8,
           const std::function<void(std::string_view)>& word) const;

  std::vector<Stage> stages_;
  bool ends_in_bytes_ = false;
};

}  // namespace tarsier
