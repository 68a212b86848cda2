#include "tarsier/models/llava_onevision.h"

#include <fmt/format.h>

#include "tarsier/models/llava_qwen.h"

namespace tarsier {
namespace {

// LLaVA's "qwen_1_5" conversation; a video stands before its question, with one line break.
constexpr std::string_view kTemplate =
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>{{ '\n' }}{% endif %}"
    "<|im_start|>{{ message['role'] }}{{ '\n' }}{% set seen = namespace(media=false) %}"
    "{% for part in message['content'] %}{% if part['type'] != 'text' %}"
    "{% set seen.media = true %}<image>{% endif %}{% endfor %}"
    "{% if seen.media %}{{ '\n' }}{% endif %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}"
    "{% endif %}{% endfor %}<|im_end|>{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant{{ '\n' }}{% endif %}";

void require(const JsonView& config, const char* key, const std::string& expected) {
  const std::string value = config.string_or(key, expected);
  if (value == expected) return;
  config.at(key).fail(
      fmt::format("is '{}', which LLaVA-OneVision does not have", value),
      fmt::format("expected '{}'; video-SALMONN 2 without its weights for sound needs a "
                  "salmonn2_config.json",
                  expected));
}

/// CheckpointError for settings of another family.
LlavaEncoderConfig encoder_config(const JsonView& config) {
  require(config, "mm_spatial_pool_mode", "bilinear");
  require(config, "mm_newline_position", "one_token");
  if (config.int_or("mm_spatial_pool_stride", 2) != 2)
    config.at("mm_spatial_pool_stride").fail("is not 2", "LLaVA-OneVision halves a frame's side");
  LlavaEncoderConfig encoder;
  encoder.vision = llava_qwen_vision(config);
  encoder.hidden_size = config.at("hidden_size").as_int(1, 1 << 20);
  encoder.pool = LlavaEncoderConfig::Pool::bilinear;
  return encoder;
}

}  // namespace

Network llava_onevision_network(const std::filesystem::path& /*directory*/,
                                const JsonView& config) {
  return llava_qwen_network(config, encoder_config(config));
}

Family llava_onevision_family(const std::filesystem::path& /*directory*/, const JsonView& config,
                              const LoadOptions& options) {
  LlavaMediaConfig media;
  media.family = "LLaVA-OneVision";
  Family family = llava_qwen_family(config, encoder_config(config), media, options);
  family.name = "llava_onevision";
  family.sampling = llava_onevision_sampling();
  family.prompt.max_tokens = config.int_or("tokenizer_model_max_length", 32768);
  family.template_text = kTemplate;
  family.template_name = "LLaVA-OneVision";
  return family;
}

}  // namespace tarsier
