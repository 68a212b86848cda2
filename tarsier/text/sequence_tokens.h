#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/text/tokenizer_settings.h"

namespace tarsier {

/// What goes around one sequence of ids: "<s>" for Llama, nothing for Qwen2.
struct SequenceTokens {
  std::vector<std::int64_t> begin, end;
  std::optional<std::int64_t> bos, eos;  // the tokens with these roles, put there or not
};

using TokenIds = std::function<std::optional<std::int64_t>(std::string_view)>;

/// Reads the "post_processor" of tokenizer.json: TemplateProcessing, ByteLevel (which moves offsets
/// only) and Sequences of them. CheckpointError names any other kind, and an id `spelled` denies.
void read_post_processor(const JsonView& json, const std::function<bool(std::int64_t)>& spelled,
                         SequenceTokens& tokens);

/// Finds the tokens with the roles "bos_token" and "eos_token".
void read_roles(const TokenizerSettings& settings, const TokenIds& id_of, SequenceTokens& tokens);

/// What tokenizer_config.json changes: "add_bos_token" and "add_eos_token" put the tokens in place
/// of the post-processor, as LlamaTokenizerFast does (there true and false unless written).
/// CheckpointError when a token to put is not known.
void apply_settings(const TokenizerSettings& settings, SequenceTokens& tokens);

}  // namespace tarsier
