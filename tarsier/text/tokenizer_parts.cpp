#include "tarsier/text/tokenizer_parts.h"

#include <utility>

#include "tarsier/text/byte_level_bpe.h"
#include "tarsier/text/character_bpe.h"
#include "tarsier/text/known_keys.h"

namespace tarsier {
namespace {

// A byte-level file says so in its pre-tokenizer and in its decoder; the two must agree.
void require_one_kind(const JsonView& json, bool words_are_bytes) {
  const JsonView decoder = json.at("decoder");
  const bool decodes_bytes = decoder.at("type").as_string() == "ByteLevel";
  if (words_are_bytes && !decodes_bytes) refuse_type(decoder, "ByteLevel is");
  if (decodes_bytes && !words_are_bytes) {
    json.at("pre_tokenizer")
        .fail("has no ByteLevel stage, the decoder is ByteLevel", "a file has both or neither");
  }
}

std::unique_ptr<const TokenModel> make_model(const JsonView& json, bool words_are_bytes,
                                             const std::shared_ptr<const Vocabulary>& vocabulary) {
  if (words_are_bytes) return std::make_unique<const ByteLevelBpe>(json, vocabulary);
  return std::make_unique<const CharacterBpe>(json, vocabulary);
}

}  // namespace

std::vector<std::string> all_spellings(const Vocabulary& vocabulary, const AddedTokenList& added) {
  std::vector<std::string> spellings = vocabulary.spellings();
  for (const auto& [id, token] : added.tokens()) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= spellings.size()) spellings.resize(index + 1);
    spellings[index] = token.content;
  }
  return spellings;
}

void set_added_tokens(const AddedTokenList& added, bool by_flags, TokenizerParts& parts) {
  std::vector<std::pair<std::string, AddedToken>> raw, normalized;
  for (const auto& [id, token] : added.tokens()) {
    if (by_flags && token.normalized) {
      normalized.emplace_back(parts.normalizer.apply(token.content), token);
    } else {
      raw.emplace_back(token.content, token);
    }
  }
  parts.raw_tokens = AddedTokenMatcher(std::move(raw));
  parts.normalized_tokens = AddedTokenMatcher(std::move(normalized));
  parts.added_ids = added.ids();
  parts.special.assign(static_cast<std::size_t>(parts.decoder.size()), false);
  for (const auto& [id, token] : added.tokens())
    parts.special[static_cast<std::size_t>(id)] = token.special;
}

TokenizerParts parse_tokenizer(const JsonView& json, const TokenizerSettings& settings) {
  // Truncation and padding are the caller's business here, as in `transformers`.
  require_known_keys(json, {"version", "truncation", "padding", "added_tokens", "normalizer",
                            "pre_tokenizer", "post_processor", "decoder", "model"});
  const JsonView model = json.at("model");
  require_plain_bpe(model);

  TokenizerParts parts;
  parts.normalizer = Normalizer::parse(json.find("normalizer"));
  parts.pretokenizer = Pretokenizer::parse(json.find("pre_tokenizer"));
  const bool byte_level = parts.pretokenizer.ends_in_bytes();
  require_one_kind(json, byte_level);
  parts.vocabulary = std::make_shared<const Vocabulary>(Vocabulary::parse(model.at("vocab")));
  parts.model = make_model(model, byte_level, parts.vocabulary);

  AddedTokenList added(*parts.vocabulary);
  if (const auto listed = json.find("added_tokens")) added.add_listed(*listed);
  added.add_settings(settings);
  if (settings.llama && !byte_level) added.add_roles(settings);
  parts.decoder = TokenDecoder::parse(json.at("decoder"), all_spellings(*parts.vocabulary, added));
  set_added_tokens(added, true, parts);

  if (const auto post = json.find("post_processor")) {
    read_post_processor(
        *post, [&](std::int64_t id) { return !parts.decoder.spelling_of(id).empty(); },
        parts.sequence);
  }
  read_roles(
      settings, [&](std::string_view token) { return parts.id_of(token); }, parts.sequence);
  // Byte-level tokenizers have classes of their own, which do not read those options.
  if (!byte_level) apply_settings(settings, parts.sequence);
  return parts;
}

std::optional<std::int64_t> TokenizerParts::id_of(std::string_view token) const {
  const auto added = added_ids.find(std::string(token));
  if (added != added_ids.end()) return added->second;
  return vocabulary->id_of(token);
}

}  // namespace tarsier
