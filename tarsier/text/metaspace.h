#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "tarsier/base/json.h"
#include "tarsier/text/sentencepiece_spelling.h"

namespace tarsier {

/// "Metaspace" of pre-tokenizers and decoders: spaces are written as a visible character, and one
/// goes before the text (SentencePiece's dummy prefix). Immutable; thread-safe.
struct Metaspace {
  enum class Prefix { never, first, always };

  std::string replacement{kVisibleSpace};  // one character
  Prefix prefix = Prefix::always;
  bool split = true;  // each replacement begins a word

  /// CheckpointError names an unknown scheme, and an old "add_prefix_space" that contradicts it.
  static Metaspace parse(const JsonView& json);

  /// Calls `word` with (piece, begins the text) for each word of normalised text, which is not
  /// empty. `at_start`: the text begins what is being encoded.
  void run(std::string_view utf8, bool at_start,
           const std::function<void(std::string_view word, bool at_start)>& word) const;
};

}  // namespace tarsier
