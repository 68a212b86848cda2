#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "tarsier/text/chat_template.h"

namespace tarsier {

/// Qwen2-VL's published template: what a Tarsier2 / Qwen2-VL directory without one of its own uses.
extern const std::string_view kQwen2VlChatTemplate;

/// A template and where it came from.
struct FoundChatTemplate {
  ChatTemplate chat_template;
  std::string origin;  // for people and --json: "chat_template.json", "tokenizer_config.json:
                       // chat_template", "built-in: Qwen2-VL"
  bool is_built_in = false;
};

/// The template of a model directory, by `transformers`' order: chat_template.jinja,
/// chat_template.json, the "chat_template" of tokenizer_config.json (a string, or a list of named
/// ones, of which "default" is taken), else `family_default`. CheckpointError when the one that
/// wins cannot be read: a broken file is never passed over.
FoundChatTemplate find_chat_template(const std::filesystem::path& model_directory,
                                     std::string_view family_default = kQwen2VlChatTemplate,
                                     std::string_view family_name = "Qwen2-VL");

}  // namespace tarsier
