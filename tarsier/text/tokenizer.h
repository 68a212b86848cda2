#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tarsier {

struct TokenizerParts;

/// Token ids of text and back, as the file `tokenizer.json` of a model directory says (byte-level
/// BPE: the Qwen2 line). Equal to the `tokenizers` library, id for id. Immutable after loading;
/// safe to share between threads.
class Tokenizer {
 public:
  /// Reads tokenizer.json (or, where it is missing, vocab.json and merges.txt with Qwen2's
  /// splitting rules), and the tokens that added_tokens.json and tokenizer_config.json add.
  /// CheckpointError names file and key.
  static std::unique_ptr<Tokenizer> load(const std::filesystem::path& model_directory);

  /// The same from memory. `tokenizer_config` may be empty; `file` is the name in messages.
  static std::unique_ptr<Tokenizer> parse(std::string_view tokenizer_json,
                                          std::string_view tokenizer_config = {},
                                          const std::string& file = "tokenizer.json");

  ~Tokenizer();
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  /// Ids of UTF-8 text; added and special tokens inside it are recognised. Adds no begin or end
  /// token. InputError when the text is not UTF-8.
  std::vector<std::int64_t> encode(std::string_view text) const;
  /// The same, but the strings of special tokens are plain text: for words that come from a user.
  std::vector<std::int64_t> encode_as_text(std::string_view text) const;
  /// `ids` with the tokens the file's post-processor puts around one sequence (none for Qwen).
  std::vector<std::int64_t> with_sequence_tokens(std::span<const std::int64_t> ids) const;

  /// UTF-8 text of ids: invalid sequences become U+FFFD, ids without a string (a padded vocabulary)
  /// become nothing.
  std::string decode(std::span<const std::int64_t> ids, bool skip_special = true) const;
  /// The bytes one token adds to decoded text, possibly part of a character; "" for an id without a
  /// string.
  std::string_view bytes_of(std::int64_t id) const;
  /// The id of an added token's content, or of a vocabulary entry as the file spells it ("Ġhello").
  std::optional<std::int64_t> id_of(std::string_view token) const;
  bool is_special(std::int64_t id) const;
  std::int64_t vocab_size() const;  // highest id + 1

 private:
  explicit Tokenizer(std::unique_ptr<const TokenizerParts> parts);
  std::vector<std::int64_t> encode(std::string_view text, bool special_as_text) const;
  std::unique_ptr<const TokenizerParts> parts_;
};

}  // namespace tarsier
