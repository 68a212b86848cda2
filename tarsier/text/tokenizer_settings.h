#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/base/json.h"

namespace tarsier {

/// The JSON files beside a vocabulary, read for what `transformers` reads from them; each may be
/// missing.
struct TokenizerSettings {
  std::optional<JsonView> config;              // tokenizer_config.json
  std::optional<JsonView> added_tokens;        // added_tokens.json: content -> id
  std::optional<JsonView> special_tokens_map;  // special_tokens_map.json: role -> token
  bool llama = false;  // what LlamaTokenizer takes for granted stands for what is left out

  /// The files of a model directory; `llama` where tokenizer_config.json names that class.
  static TokenizerSettings read(const std::filesystem::path& model_directory);
};

/// A token that a file gives a role: {"eos_token": "</s>"} or {"eos_token": {"content": "</s>"}}.
struct RoleToken {
  std::string content;
  std::optional<JsonView> source;  // where it says so; nothing for a class's own default
};

/// Whom a role ("bos_token") is given to by tokenizer_config.json, else by special_tokens_map.json,
/// else by `llama`; nullopt for nobody. CheckpointError for another form.
std::optional<RoleToken> role_token(const TokenizerSettings& settings, std::string_view role);

/// All tokens with a role, "additional_special_tokens" last.
std::vector<RoleToken> role_tokens(const TokenizerSettings& settings);

/// Whether tokenizer_config.json names LlamaTokenizer or LlamaTokenizerFast.
bool names_llama_class(const JsonView& config);

}  // namespace tarsier
