#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/text/pair_merges.h"
#include "tarsier/text/token_model.h"
#include "tarsier/text/vocabulary.h"

namespace tarsier {

/// Byte pairs over Unicode characters (Llama, Yi): a word is merged from the tokens of its
/// characters; one without a token becomes the tokens "<0x00>" to "<0xFF>" of its UTF-8 bytes
/// (byte_fallback), or else the unknown token (spec 6.1, 6.3).
class CharacterBpe final : public TokenModel {
 public:
  /// From the "model" of tokenizer.json, whose "vocab" is read already. CheckpointError when some
  /// character would get no token at all.
  CharacterBpe(const JsonView& model, std::shared_ptr<const Vocabulary> vocabulary);

  void encode(std::string_view word, std::vector<std::int64_t>& ids) const override;

 private:
  void read_bytes(const JsonView& model);
  std::vector<std::uint32_t> symbols_of(std::string_view word) const;
  bool falls_back(std::string_view character) const;  // each of its bytes has a token

  std::shared_ptr<const Vocabulary> vocabulary_;
  PairMerges merges_;
  std::unordered_map<char32_t, std::uint32_t> character_ids_;
  std::array<std::optional<std::uint32_t>, 256> byte_ids_;  // empty without byte_fallback
  std::optional<std::uint32_t> unknown_;
  bool fuse_unknown_ = false;
  bool ignore_merges_ = false;
};

}  // namespace tarsier
