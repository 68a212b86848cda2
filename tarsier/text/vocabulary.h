#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tarsier/base/json.h"

namespace tarsier {

/// Ids stay below this: far above every published vocabulary, and small enough to index by.
constexpr std::int64_t kMaxTokenId = (1 << 20) - 1;

/// The tokens a model is trained with, each as its file spells it. Immutable after loading;
/// thread-safe.
class Vocabulary {
 public:
  /// The "vocab" object of tokenizer.json: spelling -> id. CheckpointError names an id that is out
  /// of range or taken, and an empty spelling.
  static Vocabulary parse(const JsonView& vocab);

  /// Gives `id` (0 to kMaxTokenId) its spelling, not empty; false, changing nothing, when either is
  /// taken.
  bool add(std::string spelling, std::int64_t id);

  std::optional<std::int64_t> id_of(std::string_view spelling) const;
  /// By id, "" where there is none; [highest id + 1].
  const std::vector<std::string>& spellings() const { return spellings_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  std::vector<std::string> spellings_;
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> ids_;
};

}  // namespace tarsier
