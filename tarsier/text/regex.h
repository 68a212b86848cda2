#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tarsier {

/// A Unicode regular expression of a tokenizer file, run by PCRE2 under match, depth and heap
/// limits, so a hostile pattern or text ends in an error, not a hang. Immutable; thread-safe.
class Regex {
 public:
  /// CheckpointError naming `where` when the pattern cannot be compiled.
  Regex(std::string_view pattern, const std::string& where);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  /// Calls `piece` for every match and every stretch between matches, in order, none of them empty.
  /// `utf8` must be UTF-8. InputError when the limits are reached.
  void split(std::string_view utf8, const std::function<void(std::string_view)>& piece) const;

  /// Whether the pattern matches the whole of a name, which must be UTF-8. CheckpointError naming
  /// `where` when the limits are reached.
  bool matches_whole(std::string_view utf8) const;

 private:
  struct Code;
  std::unique_ptr<const Code> code_;
  std::string where_;
};

}  // namespace tarsier
