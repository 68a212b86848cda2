#pragma once

#include <string>
#include <string_view>

namespace tarsier {

/// A model's words, as the readers of this layer take them, and how they refuse them.
struct SaidAnswer {
  std::string_view text;
  std::string_view model;  // its name in messages

  /// CheckpointError: "model: what; it said 'the answer, its beginning when it is long'; hint".
  [[noreturn]] void refuse(std::string_view what) const;
};

/// Without spaces, tabs and line ends at both sides.
std::string_view trimmed(std::string_view text);

}  // namespace tarsier
