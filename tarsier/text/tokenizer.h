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

class TokenDecoder;
struct TokenizerParts;

/// Token ids of text and back, as the file `tokenizer.json` of a model directory says: byte pairs
/// over bytes (the Qwen2 line) or over characters with byte fallback (Llama, Yi), equal to the
/// `tokenizers` library, id for id; or `tokenizer.model` by SentencePiece, equal to `transformers`'
/// LlamaTokenizer. Immutable after loading; safe to share between threads.
class Tokenizer {
 public:
  /// Reads tokenizer.json (or, where it is missing, vocab.json and merges.txt with Qwen2's
  /// splitting rules, or tokenizer.model), and what tokenizer_config.json, added_tokens.json and
  /// special_tokens_map.json add or change. CheckpointError names file and key.
  static std::unique_ptr<Tokenizer> load(const std::filesystem::path& model_directory);

  /// The same from memory. `tokenizer_config` may be empty; `file` is the name in messages.
  static std::unique_ptr<Tokenizer> parse(std::string_view tokenizer_json,
                                          std::string_view tokenizer_config = {},
                                          const std::string& file = "tokenizer.json");

  /// The same from the bytes of a tokenizer.model.
  static std::unique_ptr<Tokenizer> parse_sentencepiece(std::string_view tokenizer_model,
                                                        std::string_view tokenizer_config = {});

  ~Tokenizer();
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  /// Ids of UTF-8 text; added and special tokens inside it are recognised. Adds no begin or end
  /// token. InputError when the text is not UTF-8.
  std::vector<std::int64_t> encode(std::string_view text) const;
  /// The same, but the strings of special tokens are plain text: for words that come from a user.
  std::vector<std::int64_t> encode_as_text(std::string_view text) const;
  /// `ids` with the tokens that go around one sequence: "<s>" before it for Llama, none for Qwen.
  std::vector<std::int64_t> with_sequence_tokens(std::span<const std::int64_t> ids) const;
  /// Whether with_sequence_tokens() begins with bos_id(): true for Llama, false for Yi and Qwen.
  bool adds_bos() const;
  /// The tokens with the roles "bos_token" and "eos_token"; nullopt where no file names one.
  std::optional<std::int64_t> bos_id() const;
  std::optional<std::int64_t> eos_id() const;

  /// UTF-8 text of ids: invalid sequences become U+FFFD, ids without a string (a padded vocabulary)
  /// become nothing.
  std::string decode(std::span<const std::int64_t> ids, bool skip_special = true) const;
  /// The bytes one token adds to decoded text, possibly part of a character, where it does not
  /// begin it; "" for an id without a string.
  std::string_view bytes_of(std::int64_t id) const;
  /// The token as its file spells it ("</s>", "▁Hello", "Ġhello"); "" for an id without a string.
  std::string_view spelling_of(std::int64_t id) const;
  /// The id of an added token's content, or of a vocabulary entry as the file spells it ("Ġhello").
  std::optional<std::int64_t> id_of(std::string_view token) const;
  bool is_special(std::int64_t id) const;
  std::int64_t vocab_size() const;      // highest id + 1
  const TokenDecoder& decoder() const;  // for Detokenizer

 private:
  explicit Tokenizer(std::unique_ptr<const TokenizerParts> parts);
  static std::unique_ptr<Tokenizer> make(TokenizerParts parts);
  std::vector<std::int64_t> encode(std::string_view text, bool special_as_text) const;
  std::unique_ptr<const TokenizerParts> parts_;
};

}  // namespace tarsier
