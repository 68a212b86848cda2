#include "tarsier/text/tokenizer_parts.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <set>
#include <string_view>

#include "tarsier/text/byte_level.h"
#include "tarsier/text/byte_level_bpe.h"
#include "tarsier/text/known_keys.h"
#include "tarsier/text/nfc.h"
#include "tarsier/text/utf8.h"

namespace tarsier {
namespace {

bool reads_nfc(const std::optional<JsonView>& normalizer) {
  if (!normalizer) return false;
  const std::string& type = normalizer->at("type").as_string();
  if (type == "NFC") return true;
  if (type != "Sequence") refuse_type(*normalizer, "NFC and Sequence are");
  const JsonView list = normalizer->at("normalizers");
  bool nfc = false;
  for (std::int64_t i = 0; i < list.size(); ++i) nfc = reads_nfc(list.at(i)) || nfc;
  return nfc;
}

void read_post_processor(const std::optional<JsonView>& json, TokenizerParts& parts) {
  if (!json) return;
  const std::string& type = json->at("type").as_string();
  if (type == "ByteLevel") return;  // moves offsets only
  if (type == "Sequence") {
    const JsonView list = json->at("processors");
    for (std::int64_t i = 0; i < list.size(); ++i) read_post_processor(list.at(i), parts);
    return;
  }
  if (type != "TemplateProcessing")
    refuse_type(*json, "ByteLevel, TemplateProcessing and Sequence are");
  const JsonView single = json->at("single");
  bool after_text = false;
  for (std::int64_t i = 0; i < single.size(); ++i) {
    const JsonView piece = single.at(i);
    if (piece.has("Sequence")) {
      if (after_text) piece.fail("repeats the text", "one sequence is supported");
      after_text = true;
      continue;
    }
    const JsonView name = piece.at("SpecialToken").at("id");
    auto& ids = after_text ? parts.end_ids : parts.begin_ids;
    for (const std::int64_t id :
         json->at("special_tokens").at(name.as_string()).at("ids").as_ints())
      ids.push_back(id);
  }
}

// Names that tokenizer_config.json gives a role ("eos_token": "</s>") are special even where no
// flags are written.
std::set<std::string> role_tokens(const std::optional<JsonView>& config) {
  std::set<std::string> names;
  const auto add = [&](const JsonView& token) {
    if (token.is_string()) names.insert(token.as_string());
    if (token.is_object() && token.has("content")) names.insert(token.at("content").as_string());
  };
  if (!config) return names;
  for (const char* key : {"bos_token", "eos_token", "unk_token", "pad_token", "sep_token",
                          "cls_token", "mask_token"}) {
    if (const auto token = config->find(key)) add(*token);
  }
  if (const auto list = config->find("additional_special_tokens"); list && list->is_array()) {
    for (std::int64_t i = 0; i < list->size(); ++i) add(list->at(i));
  }
  return names;
}

// Added tokens of all files by id. Where two files describe one token the first wins, as in
// `transformers`.
class AddedTokenList {
 public:
  explicit AddedTokenList(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}

  void add(AddedToken token, const JsonView& source) {
    if (first_invalid_utf8(token.content)) source.fail("is not UTF-8", "the file is damaged");
    const auto index = static_cast<std::size_t>(token.id);
    const auto in_vocabulary = vocabulary_.id_of(token.content);
    if (in_vocabulary && *in_vocabulary != token.id) {
      source.fail(fmt::format("gives '{}' id {}, the vocabulary gives {}", token.content, token.id,
                              *in_vocabulary),
                  "the files belong to different models");
    }
    if (index < vocabulary_.spellings().size() && !vocabulary_.spellings()[index].empty() &&
        !in_vocabulary) {
      source.fail(fmt::format("gives '{}' id {}, which is '{}' in the vocabulary", token.content,
                              token.id, vocabulary_.spellings()[index]),
                  "the files belong to different models");
    }
    const auto [known, is_new] = ids_.try_emplace(token.content, token.id);
    const auto holder = tokens_.find(token.id);
    if (known->second != token.id || (is_new && holder != tokens_.end())) {
      source.fail(fmt::format("gives '{}' id {}, another entry gives {}", token.content, token.id,
                              is_new ? "that id to '" + holder->second.content + "'"
                                     : std::to_string(known->second)),
                  "the files belong to different models");
    }
    if (is_new) tokens_.emplace(token.id, std::move(token));
  }

  const std::map<std::int64_t, AddedToken>& tokens() const { return tokens_; }
  std::unordered_map<std::string, std::int64_t> ids() const { return ids_; }

 private:
  const Vocabulary& vocabulary_;
  std::map<std::int64_t, AddedToken> tokens_;
  std::unordered_map<std::string, std::int64_t> ids_;
};

std::int64_t id_from_key(const std::string& key, const JsonView& entry) {
  std::int64_t id = -1;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
  if (error != std::errc() || end != key.data() + key.size() || id < 0 || id > kMaxTokenId) {
    entry.fail("is not under a token id",
               fmt::format("keys are numbers from 0 to {}", kMaxTokenId));
  }
  return id;
}

AddedTokenList read_added_tokens(const TokenizerDocuments& documents,
                                 const Vocabulary& vocabulary) {
  AddedTokenList list(vocabulary);
  if (const auto added = documents.tokenizer.find("added_tokens")) {
    if (!added->is_array()) added->fail("is not an array", "list the tokens");
    for (std::int64_t i = 0; i < added->size(); ++i)
      list.add(parse_added_token(added->at(i)), added->at(i));
  }
  if (documents.config) {
    if (const auto added = documents.config->find("added_tokens_decoder")) {
      for (const std::string& key : added->keys()) {
        list.add(parse_added_token(added->at(key), id_from_key(key, added->at(key))),
                 added->at(key));
      }
    }
  }
  if (documents.added_tokens) {
    const std::set<std::string> roles = role_tokens(documents.config);
    for (const std::string& content : documents.added_tokens->keys()) {
      const JsonView entry = documents.added_tokens->at(content);
      AddedToken token{.id = entry.as_int(0, kMaxTokenId), .content = content};
      token.special = roles.count(content) > 0;
      token.normalized = !token.special;
      list.add(std::move(token), entry);
    }
  }
  return list;
}

void fill_decoding_tables(const AddedTokenList& added, TokenizerParts& parts) {
  std::vector<std::string> spellings = parts.vocabulary->spellings();
  for (const auto& [id, token] : added.tokens()) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= spellings.size()) spellings.resize(index + 1);
    spellings[index] = token.content;
  }
  parts.special.resize(spellings.size());
  for (const auto& [id, token] : added.tokens())
    parts.special[static_cast<std::size_t>(id)] = token.special;
  // The ByteLevel decoder takes any token whose characters all spell bytes for a spelling, added
  // ones included.
  for (const std::string& spelling : spellings) {
    parts.bytes.push_back(bytes_of_spelling(spelling).value_or(spelling));
  }
  parts.added_ids = added.ids();
}

}  // namespace

TokenizerParts parse_tokenizer(const TokenizerDocuments& documents) {
  const JsonView& json = documents.tokenizer;
  // Truncation and padding are the caller's business here, as in `transformers`.
  require_known_keys(json, {"version", "truncation", "padding", "added_tokens", "normalizer",
                            "pre_tokenizer", "post_processor", "decoder", "model"});
  require_plain_bpe(json.at("model"));
  if (json.at("decoder").at("type").as_string() != "ByteLevel")
    refuse_type(json.at("decoder"), "ByteLevel is");

  TokenizerParts parts;
  parts.nfc = reads_nfc(json.find("normalizer"));
  parts.pretokenizer = Pretokenizer::parse(json.at("pre_tokenizer"));
  parts.vocabulary =
      std::make_shared<const Vocabulary>(Vocabulary::parse(json.at("model").at("vocab")));
  parts.model = std::make_unique<const ByteLevelBpe>(json.at("model"), parts.vocabulary);
  const AddedTokenList added = read_added_tokens(documents, *parts.vocabulary);
  read_post_processor(json.find("post_processor"), parts);

  std::vector<std::pair<std::string, AddedToken>> raw, normalized;
  for (const auto& [id, token] : added.tokens()) {
    if (token.normalized) {
      normalized.emplace_back(parts.nfc ? to_nfc(token.content) : token.content, token);
    } else {
      raw.emplace_back(token.content, token);
    }
  }
  parts.raw_tokens = AddedTokenMatcher(std::move(raw));
  parts.normalized_tokens = AddedTokenMatcher(std::move(normalized));
  fill_decoding_tables(added, parts);
  return parts;
}

}  // namespace tarsier
