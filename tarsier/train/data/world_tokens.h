#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tarsier/synth/world.h"
#include "tarsier/text/tokenizer.h"

namespace tarsier {

/// The token that `text` is. ConfigError when the tokenizer splits it: the world's words are to be
/// one token each.
std::int64_t world_token(const Tokenizer& tokenizer, const std::string& text);

/// A word as it stands inside a sentence: with a space before it, where the language has spaces.
std::string in_sentence(std::string_view word, Language language);

}  // namespace tarsier
