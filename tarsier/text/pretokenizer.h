#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/text/metaspace.h"
#include "tarsier/text/regex.h"

namespace tarsier {

/// The "pre_tokenizer" of tokenizer.json: cuts normalised text into the words that pairs are merged
/// within. Knows Split(Regex or String, Isolated), ByteLevel, Metaspace and Sequences of them;
/// without any the whole text is one word. Immutable; thread-safe.
class Pretokenizer {
 public:
  Pretokenizer() = default;

  /// CheckpointError names any other kind or option.
  static Pretokenizer parse(const std::optional<JsonView>& json);

  /// Calls `word` with each non-empty word, in order. `at_start`: this text begins what is being
  /// encoded (Metaspace's "first" asks). InputError when a pattern reaches its limits.
  void split(std::string_view utf8, bool at_start,
             const std::function<void(std::string_view)>& word) const;

  bool ends_in_bytes() const { return ends_in_bytes_; }  // words are for a byte-level vocabulary

 private:
  struct ByteLevel {
    bool add_prefix_space;
    std::optional<Regex> pattern;
  };
  using Stage = std::variant<Regex, ByteLevel, Metaspace>;
  using Word = std::function<void(std::string_view)>;

  void add_stages(const JsonView& json);
  void run(std::size_t index, std::string_view utf8, bool at_start, const Word& word) const;

  std::vector<Stage> stages_;
  bool ends_in_bytes_ = false;
};

}  // namespace tarsier
