#include "tarsier/text/byte_level_bpe.h"

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "tarsier/text/byte_level.h"

namespace tarsier {

ByteLevelBpe::ByteLevelBpe(const JsonView& model, std::shared_ptr<const Vocabulary> vocabulary)
    : vocabulary_(std::move(vocabulary)),
      merges_(PairMerges::parse(model.at("merges"), *vocabulary_)),
      fuse_unknown_(model.bool_or("fuse_unk", false)),
      ignore_merges_(model.bool_or("ignore_merges", false)) {
  read_bytes(model);
}

// Every byte needs a token, or an unknown token must stand for it; text is never dropped.
void ByteLevelBpe::read_bytes(const JsonView& model) {
  const std::optional<std::int64_t> unknown = unknown_token(model, *vocabulary_);
  const bool byte_fallback = model.bool_or("byte_fallback", false);
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const std::string spelling =
        spell_bytes(std::string(1, static_cast<char>(static_cast<unsigned char>(byte))));
    if (const auto id = vocabulary_->id_of(spelling)) {
      byte_ids_[byte] = static_cast<std::uint32_t>(*id);
    } else if (unknown && !byte_fallback) {
      byte_ids_[byte] = static_cast<std::uint32_t>(*unknown);
      byte_is_unknown_[byte] = true;
    } else {
      model.at("vocab").fail(fmt::format("has no token '{}' for byte {}", spelling, byte),
                             "a byte-level vocabulary (Qwen2, GPT-2) has all 256");
    }
  }
}

void ByteLevelBpe::encode(std::string_view word, std::vector<std::int64_t>& ids) const {
  if (ignore_merges_) {
    if (const auto whole = vocabulary_->id_of(spell_bytes(word))) {
      ids.push_back(*whole);
      return;
    }
  }
  std::vector<std::uint32_t> symbols = symbols_of(word);
  merges_.apply(symbols);
  ids.insert(ids.end(), symbols.begin(), symbols.end());
}

std::vector<std::uint32_t> ByteLevelBpe::symbols_of(std::string_view word) const {
  std::vector<std::uint32_t> symbols;
  symbols.reserve(word.size());
  bool after_unknown = false;
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unknown = byte_is_unknown_[byte];
    if (!(unknown && after_unknown && fuse_unknown_)) symbols.push_back(byte_ids_[byte]);
    after_unknown = unknown;
  }
  return symbols;
}

}  // namespace tarsier
