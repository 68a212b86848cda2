#include "tarsier/text/sequence_tokens.h"

#include <fmt/format.h>

#include "tarsier/base/error.h"
#include "tarsier/text/known_keys.h"
#include "tarsier/text/vocabulary.h"

namespace tarsier {
namespace {

void read_template(const JsonView& json, const std::function<bool(std::int64_t)>& spelled,
                   SequenceTokens& tokens) {
  const JsonView single = json.at("single");
  if (!single.is_array()) single.fail("is not an array", "list the pieces");
  bool after_text = false;
  for (std::int64_t i = 0; i < single.size(); ++i) {
    const JsonView piece = single.at(i);
    if (piece.has("Sequence")) {
      if (after_text) piece.fail("repeats the text", "one sequence is supported");
      after_text = true;
      continue;
    }
    const JsonView name = piece.at("SpecialToken").at("id");
    const JsonView ids = json.at("special_tokens").at(name.as_string()).at("ids");
    for (const std::int64_t id : ids.as_ints()) {
      if (!spelled(id)) ids.fail(fmt::format("holds {}, which is no token", id), "check the file");
      (after_text ? tokens.end : tokens.begin).push_back(id);
    }
  }
}

std::vector<std::int64_t> put(std::optional<std::int64_t> token, bool wanted, const char* option,
                              const char* role) {
  if (!wanted) return {};
  if (!token) {
    throw CheckpointError({fmt::format("tokenizer_config.json: {}", option),
                           fmt::format("is true, but there is no {} in the vocabulary", role),
                           fmt::format("name the {}, or write false", role)});
  }
  return {*token};
}

}  // namespace

void read_post_processor(const JsonView& json, const std::function<bool(std::int64_t)>& spelled,
                         SequenceTokens& tokens) {
  const std::string& type = json.at("type").as_string();
  if (type == "ByteLevel") return;
  if (type == "Sequence") {
    const JsonView list = json.at("processors");
    if (!list.is_array()) list.fail("is not an array", "list the processors");
    for (std::int64_t i = 0; i < list.size(); ++i) read_post_processor(list.at(i), spelled, tokens);
    return;
  }
  if (type != "TemplateProcessing")
    refuse_type(json, "ByteLevel, TemplateProcessing and Sequence are");
  read_template(json, spelled, tokens);
}

void read_roles(const TokenizerSettings& settings, const TokenIds& id_of, SequenceTokens& tokens) {
  if (const auto bos = role_token(settings, "bos_token")) tokens.bos = id_of(bos->content);
  if (const auto eos = role_token(settings, "eos_token")) tokens.eos = id_of(eos->content);
  if (!tokens.bos && tokens.begin.size() == 1) tokens.bos = tokens.begin.front();
}

void apply_settings(const TokenizerSettings& settings, SequenceTokens& tokens) {
  const auto wanted = [&](const char* option, bool llama_default) -> std::optional<bool> {
    if (settings.config && settings.config->has(option))
      return settings.config->at(option).as_bool();
    if (settings.llama) return llama_default;
    return std::nullopt;
  };
  if (const auto bos = wanted("add_bos_token", true))
    tokens.begin = put(tokens.bos, *bos, "add_bos_token", "bos_token");
  if (const auto eos = wanted("add_eos_token", false))
    tokens.end = put(tokens.eos, *eos, "add_eos_token", "eos_token");
}

}  // namespace tarsier
