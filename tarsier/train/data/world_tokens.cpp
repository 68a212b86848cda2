#include "tarsier/train/data/world_tokens.h"

#include <fmt/format.h>

#include "tarsier/base/error.h"
#include "tarsier/synth/languages/table.h"

namespace tarsier {

std::int64_t world_token(const Tokenizer& tokenizer, const std::string& text) {
  const std::vector<std::int64_t> ids = tokenizer.encode(text);
  if (ids.size() != 1) {
    throw ConfigError({"tokenizer.json",
                       fmt::format("splits the world's word '{}' into {} tokens", text, ids.size()),
                       "train on synth data with a tokenizer that has the world's words"});
  }
  return ids[0];
}

std::string in_sentence(std::string_view word, Language language) {
  const bool spaces = table(language).particles.empty();
  return (spaces ? " " : "") + std::string(word);
}

}  // namespace tarsier
