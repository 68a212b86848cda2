#include "tarsier/models/llama_decoder_config.h"

#include <fmt/format.h>

namespace tarsier {
namespace {

constexpr std::int64_t kLargest = 1 << 24;

std::int64_t size_of(const JsonView& json, const char* key, std::int64_t otherwise) {
  return json.has(key) ? json.at(key).as_int(1, kLargest) : otherwise;
}

void refuse_unless(const JsonView& json, const char* key, bool holds, const std::string& expected) {
  if (!holds) json.at(key).fail("is not supported", expected);
}

}  // namespace

DecoderConfig llama_decoder_config(const JsonView& json) {
  DecoderConfig config;
  config.vocab_size = size_of(json, "vocab_size", 32000);
  config.hidden_size = size_of(json, "hidden_size", 4096);
  config.intermediate_size = size_of(json, "intermediate_size", 11008);
  config.layers = json.has("num_hidden_layers") ? json.at("num_hidden_layers").as_int(1, 1000) : 32;
  config.heads =
      json.has("num_attention_heads") ? json.at("num_attention_heads").as_int(1, 4096) : 32;
  config.kv_heads = json.has("num_key_value_heads") ? json.at("num_key_value_heads").as_int(1, 4096)
                                                    : config.heads;
  if (config.heads % config.kv_heads != 0) {
    json.at("num_key_value_heads")
        .fail(fmt::format("is {}, which does not divide num_attention_heads {}", config.kv_heads,
                          config.heads),
              "check config.json");
  }
  if (!json.has("head_dim") && config.hidden_size % config.heads != 0) {
    json.fail(fmt::format("hidden_size is {}, not a multiple of num_attention_heads {}",
                          config.hidden_size, config.heads),
              "check config.json");
  }
  config.head_dim = json.has("head_dim") ? json.at("head_dim").as_int(2, 4096)
                                         : config.hidden_size / config.heads;
  config.rms_norm_epsilon = json.double_or("rms_norm_eps", 1e-6);
  config.rope_theta = json.double_or("rope_theta", 1e4);
  config.tied_head = json.bool_or("tie_word_embeddings", false);
  config.qkv_bias = false;
  for (const char* key : {"attention_bias", "mlp_bias"})
    refuse_unless(json, key, !json.bool_or(key, false), "no published checkpoint has these biases");
  refuse_unless(json, "hidden_act", json.string_or("hidden_act", "silu") == "silu",
                "expected 'silu'");
  if (const auto rope = json.find("rope_parameters"))  // as transformers 5 writes it
    config.rope_theta = rope->double_or("rope_theta", config.rope_theta);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const auto rope = json.find(key);
    if (!rope) continue;
    for (const char* type : {"type", "rope_type"})
      refuse_unless(*rope, type, rope->string_or(type, "default") == "default",
                    "no published checkpoint scales its positions");
  }
  return config;
}

}  // namespace tarsier
