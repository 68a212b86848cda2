#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tarsier/base/json.h"

namespace tarsier {

/// One entry of "added_tokens".
struct AddedToken {
  std::int64_t id = 0;
  std::string content;
  bool special = false;      // skipped in decoded text; plain text in encode_as_text
  bool normalized = true;    // looked for after normalisation, in its own normalised form
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // ... and after it
  bool single_word = false;  // only where no word character touches it
};

/// Reads an entry of "added_tokens" (or of tokenizer_config.json's "added_tokens_decoder", whose id
/// is its key).
AddedToken parse_added_token(const JsonView& json, std::optional<std::int64_t> id = std::nullopt);

/// Finds added tokens in text, leftmost first and longest at one place. Immutable; thread-safe.
class AddedTokenMatcher {
 public:
  /// Pairs of (text to look for, token); texts that are empty are left out.
  explicit AddedTokenMatcher(std::vector<std::pair<std::string, AddedToken>> patterns = {});

  /// Calls `piece(text, nullptr)` for text between tokens and `piece(text, token)` for a token, in
  /// order. Tokens marked special are passed over when `special_as_text` is set.
  using Piece = std::function<void(std::string_view text, const AddedToken* token)>;
  void split(std::string_view utf8, bool special_as_text, const Piece& piece) const;

 private:
  struct Match {
    std::size_t end;
    const AddedToken* token;
  };
  std::optional<Match> longest_at(std::string_view utf8, std::size_t at) const;

  std::vector<AddedToken> tokens_;
  std::unordered_map<std::uint64_t, std::uint32_t> edges_;  // trie: (node << 8 | byte) -> node
  std::vector<std::int64_t> token_of_node_;                 // index into tokens_, -1 inside a token
  std::array<bool, 256> starts_{};                          // bytes some token begins with
};

}  // namespace tarsier
