#include "tarsier/text/added_token_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_set>
#include <utility>

#include "tarsier/base/error.h"
#include "tarsier/text/utf8.h"

namespace tarsier {
namespace {

std::int64_t id_from_key(const std::string& key, const JsonView& entry) {
  std::int64_t id = -1;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
  if (error != std::errc() || end != key.data() + key.size() || id < 0 || id > kMaxTokenId) {
    entry.fail("is not under a token id",
               fmt::format("keys are numbers from 0 to {}", kMaxTokenId));
  }
  return id;
}

}  // namespace

void AddedTokenList::add(AddedToken token, const JsonView& source) {
  if (first_invalid_utf8(token.content)) source.fail("is not UTF-8", "the file is damaged");
  const auto index = static_cast<std::size_t>(token.id);
  const auto in_vocabulary = vocabulary_.id_of(token.content);
  if (in_vocabulary && *in_vocabulary != token.id) {
    source.fail(fmt::format("gives '{}' id {}, the vocabulary gives {}", token.content, token.id,
                            *in_vocabulary),
                "the files belong to different models");
  }
  const auto& spellings = vocabulary_.spellings();
  if (index < spellings.size() && !spellings[index].empty() && !in_vocabulary) {
    source.fail(fmt::format("gives '{}' id {}, which is '{}' in the vocabulary", token.content,
                            token.id, spellings[index]),
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

void AddedTokenList::add_listed(const JsonView& added_tokens) {
  if (!added_tokens.is_array()) added_tokens.fail("is not an array", "list the tokens");
  for (std::int64_t i = 0; i < added_tokens.size(); ++i)
    add(parse_added_token(added_tokens.at(i)), added_tokens.at(i));
}

void AddedTokenList::add_settings(const TokenizerSettings& settings) {
  if (settings.config) {
    if (const auto added = settings.config->find("added_tokens_decoder")) {
      for (const std::string& key : added->keys()) {
        const JsonView entry = added->at(key);
        add(parse_added_token(entry, id_from_key(key, entry)), entry);
      }
    }
  }
  if (!settings.added_tokens) return;
  std::unordered_set<std::string> special;
  for (RoleToken& role : role_tokens(settings)) special.insert(std::move(role.content));
  for (const std::string& content : settings.added_tokens->keys()) {
    const JsonView entry = settings.added_tokens->at(content);
    AddedToken token{.id = entry.as_int(0, kMaxTokenId), .content = content};
    token.special = special.count(content) > 0;
    token.normalized = !token.special;
    add(std::move(token), entry);
  }
}

void AddedTokenList::add_roles(const TokenizerSettings& settings) {
  for (const RoleToken& role : role_tokens(settings)) {
    if (const auto known = ids_.find(role.content); known != ids_.end()) {
      tokens_.at(known->second).special = true;
      continue;
    }
    const std::int64_t id = vocabulary_.id_of(role.content).value_or(next_id());
    if (role.content.empty() || id > kMaxTokenId) {
      const char* what = role.content.empty() ? "is empty" : "is one token too many";
      check(role.source.has_value(), "a class's own tokens are few and have names");
      role.source->fail(what, "check the file");
    }
    ids_.emplace(role.content, id);
    tokens_.emplace(
        id, AddedToken{.id = id, .content = role.content, .special = true, .normalized = false});
  }
}

std::int64_t AddedTokenList::next_id() const {
  const auto after_vocabulary = static_cast<std::int64_t>(vocabulary_.spellings().size());
  return tokens_.empty() ? after_vocabulary
                         : std::max(after_vocabulary, tokens_.rbegin()->first + 1);
}

}  // namespace tarsier
