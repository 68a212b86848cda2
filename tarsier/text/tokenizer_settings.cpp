#include "tarsier/text/tokenizer_settings.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace tarsier {
namespace {

// In the order in which transformers gives ids to those that have none.
constexpr std::array<std::string_view, 7> kRoles = {
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};

RoleToken read_role(const JsonView& token) {
  if (token.is_object()) return {token.at("content").as_string(), token};
  return {token.as_string(), token};
}

}  // namespace

bool names_llama_class(const JsonView& config) {
  const std::string name = config.string_or("tokenizer_class", "");
  return name == "LlamaTokenizer" || name == "LlamaTokenizerFast";
}

TokenizerSettings TokenizerSettings::read(const std::filesystem::path& directory) {
  const auto read_if_there = [&](const char* name) -> std::optional<JsonView> {
    if (!std::filesystem::exists(directory / name)) return std::nullopt;
    return read_json(directory / name, JsonOwner::checkpoint);
  };
  TokenizerSettings settings{read_if_there("tokenizer_config.json"),
                             read_if_there("added_tokens.json"),
                             read_if_there("special_tokens_map.json")};
  settings.llama = settings.config && names_llama_class(*settings.config);
  return settings;
}

std::optional<RoleToken> role_token(const TokenizerSettings& settings, std::string_view role) {
  // A null in the first file is an answer, too: transformers does not look further.
  for (const auto* file : {&settings.config, &settings.special_tokens_map}) {
    if (!*file || !(*file)->raw().contains(std::string(role))) continue;
    if (!(*file)->has(role)) return std::nullopt;
    return read_role((*file)->at(role));
  }
  if (!settings.llama) return std::nullopt;
  if (role == "bos_token") return RoleToken{"<s>", std::nullopt};
  if (role == "eos_token") return RoleToken{"</s>", std::nullopt};
  if (role == "unk_token") return RoleToken{"<unk>", std::nullopt};
  return std::nullopt;
}

std::vector<RoleToken> role_tokens(const TokenizerSettings& settings) {
  std::vector<RoleToken> tokens;
  for (const std::string_view role : kRoles) {
    if (auto token = role_token(settings, role)) tokens.push_back(std::move(*token));
  }
  for (const auto* file : {&settings.config, &settings.special_tokens_map}) {
    if (!*file) continue;
    const auto list = (*file)->find("additional_special_tokens");
    if (!list || !list->is_array()) continue;
    for (std::int64_t i = 0; i < list->size(); ++i) tokens.push_back(read_role(list->at(i)));
    break;
  }
  return tokens;
}

}  // namespace tarsier
