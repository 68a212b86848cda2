#include "tarsier/text/character_bpe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "tarsier/text/sentencepiece_spelling.h"
#include "tarsier/text/utf8.h"

namespace tarsier {

CharacterBpe::CharacterBpe(const JsonView& model, std::shared_ptr<const Vocabulary> vocabulary)
    : vocabulary_(std::move(vocabulary)),
      merges_(PairMerges::parse(model.at("merges"), *vocabulary_)),
      fuse_unknown_(model.bool_or("fuse_unk", false)),
      ignore_merges_(model.bool_or("ignore_merges", false)) {
  const auto& spellings = vocabulary_->spellings();
  for (std::size_t id = 0; id < spellings.size(); ++id) {
    const std::string& spelling = spellings[id];
    if (spelling.empty()) continue;
    const CodePoint first = code_point_at(spelling, 0);
    if (first.bytes == spelling.size())
      character_ids_.emplace(first.value, static_cast<std::uint32_t>(id));
  }
  read_bytes(model);
}

void CharacterBpe::read_bytes(const JsonView& model) {
  if (const auto unknown = unknown_token(model, *vocabulary_))
    unknown_ = static_cast<std::uint32_t>(*unknown);
  const bool byte_fallback = model.bool_or("byte_fallback", false);
  if (!byte_fallback && !unknown_) {
    model.fail("has neither byte_fallback nor an unk_token",
               "a character outside the vocabulary needs one of them");
  }
  if (!byte_fallback) return;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const std::string spelling = byte_token(static_cast<unsigned char>(byte));
    if (const auto id = vocabulary_->id_of(spelling)) {
      byte_ids_[byte] = static_cast<std::uint32_t>(*id);
    } else if (!unknown_) {
      model.at("vocab").fail(fmt::format("has no token '{}', which byte_fallback needs", spelling),
                             "add it, or an unk_token to stand for it");
    }
  }
}

void CharacterBpe::encode(std::string_view word, std::vector<std::int64_t>& ids) const {
  if (ignore_merges_) {
    if (const auto whole = vocabulary_->id_of(word)) {
      ids.push_back(*whole);
      return;
    }
  }
  std::vector<std::uint32_t> symbols = symbols_of(word);
  merges_.apply(symbols);
  ids.insert(ids.end(), symbols.begin(), symbols.end());
}

bool CharacterBpe::falls_back(std::string_view character) const {
  return std::all_of(character.begin(), character.end(), [&](char byte) {
    return byte_ids_[static_cast<unsigned char>(byte)].has_value();
  });
}

// An unknown token waits until a character of the vocabulary or the end follows, so bytes that come
// between go before it: the reference (models/bpe/model.rs, merge_word) does the same.
std::vector<std::uint32_t> CharacterBpe::symbols_of(std::string_view word) const {
  std::vector<std::uint32_t> symbols;
  symbols.reserve(word.size());
  bool waiting = false;
  for (std::size_t at = 0; at < word.size();) {
    const CodePoint c = code_point_at(word, at);
    const std::string_view character = word.substr(at, c.bytes);
    at += c.bytes;
    if (const auto known = character_ids_.find(c.value); known != character_ids_.end()) {
      if (waiting) symbols.push_back(*unknown_);
      waiting = false;
      symbols.push_back(known->second);
    } else if (falls_back(character)) {
      for (const char byte : character)
        symbols.push_back(*byte_ids_[static_cast<unsigned char>(byte)]);
    } else {
      if (waiting && !fuse_unknown_) symbols.push_back(*unknown_);
      waiting = true;
    }
  }
  if (waiting) symbols.push_back(*unknown_);
  return symbols;
}

}  // namespace tarsier
