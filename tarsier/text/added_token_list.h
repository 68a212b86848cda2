#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tarsier/text/added_tokens.h"
#include "tarsier/text/tokenizer_settings.h"
#include "tarsier/text/vocabulary.h"

namespace tarsier {

/// Added tokens of all files by id. Where two files describe one token the first wins, as in
/// `transformers`.
class AddedTokenList {
 public:
  explicit AddedTokenList(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}

  /// CheckpointError at `source` when another file, or the vocabulary, says otherwise.
  void add(AddedToken token, const JsonView& source);

  /// The "added_tokens" array of tokenizer.json.
  void add_listed(const JsonView& added_tokens);
  /// tokenizer_config.json's "added_tokens_decoder", then added_tokens.json.
  void add_settings(const TokenizerSettings& settings);
  /// Every token with a role, as a special one; one that has no id yet gets the next.
  /// LlamaTokenizer does this itself, whatever its files list.
  void add_roles(const TokenizerSettings& settings);

  const std::map<std::int64_t, AddedToken>& tokens() const { return tokens_; }
  const std::unordered_map<std::string, std::int64_t>& ids() const { return ids_; }

 private:
  std::int64_t next_id() const;

  const Vocabulary& vocabulary_;
  std::map<std::int64_t, AddedToken> tokens_;
  std::unordered_map<std::string, std::int64_t> ids_;
};

}  // namespace tarsier
