#include "tarsier/models/salmonn2_plus.h"

#include <fmt/format.h>

#include "tarsier/base/error.h"
#include "tarsier/models/qwen2_5_vl.h"
#include "tarsier/models/qwen2_5_vl_encoder.h"
#include "tarsier/models/qwen2_vl_encoder.h"
#include "tarsier/processors/salmonn2_plus_media.h"
#include "tarsier/processors/timed_positions.h"

namespace tarsier {
namespace {

// models-video-salmonn-2.md 4.1: each medium between Qwen's marks and followed by a new line. One
// placeholder stands for a whole medium of any kind; tokenizer files need not know the sound's.
constexpr std::string_view kTemplate =
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}<|im_start|>system\n"
    "You are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'text' %}{{ part['text'] }}"
    "{% else %}<|vision_start|><|video_pad|><|vision_end|>{{ '\n' }}{% endif %}{% endfor %}"
    "{% if not (loop.last and strip_final_eos) %}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

void limit_pixels(Salmonn2PlusMedia& media, std::optional<std::int64_t> max_pixels) {
  if (!max_pixels) return;
  tarsier::limit_pixels(media.pictures, max_pixels);
  PixelBudget& frame = media.settings.frame;
  if (*max_pixels < frame.min_pixels) {
    throw ConfigError(
        {"--max-pixels",
         fmt::format("{} is below the {} the model needs", *max_pixels, frame.min_pixels),
         "give more, or leave it out"});
  }
  frame.max_pixels = *max_pixels;
}

/// The row of the vocabulary that stands for sound; the tokenizer need not have a token there.
std::int64_t audio_token(const JsonView& config, std::int64_t vocab_size) {
  constexpr std::int64_t kPublished = 151665;
  if (!config.has("audio_token_id") && kPublished < vocab_size) return kPublished;
  return config.at("audio_token_id").as_int(0, vocab_size - 1);
}

Network network_of(const JsonView& config, bool hears) {
  const Qwen2_5VlParts parts = qwen2_5_vl_parts(config);
  Network network;
  network.decoder = parts.decoder;
  network.encoder =
      hears ? qwen2_5_vl_encoder(parts.vision, hearing_config(config.at("audio_config")))
            : qwen2_5_vl_encoder(parts.vision, std::nullopt, {"audio."});
  network.names = kSalmonn2PlusNames;
  network.published_names = kPublishedSalmonn2PlusNames;
  return network;
}

}  // namespace

Network salmonn2_plus_network(const JsonView& config) { return network_of(config, true); }

Family salmonn2_plus_family(const std::filesystem::path& directory, const JsonView& config,
                            const LoadOptions& options) {
  const Qwen2_5VlParts parts = qwen2_5_vl_parts(config);
  std::optional<HearingConfig> hearing;
  if (!options.without_sound) hearing = hearing_config(config.at("audio_config"));
  Salmonn2PlusMedia media{read_qwen2_vl_config(directory), read_salmonn2_plus_settings(directory),
                          hearing ? hearing->tokens_per_chunk() : 0};
  check_processor(parts.vision, media.pictures);
  limit_pixels(media, options.max_pixels);
  Family family;
  family.name = "salmonn2_plus";
  family.hears = hearing.has_value();
  family.network = network_of(config, family.hears);
  family.sampling = salmonn2_plus_sampling(media.settings);
  family.prompt.image_token = parts.image_token;
  family.prompt.video_token = parts.video_token;
  family.prompt.audio_token = audio_token(config, parts.decoder.vocab_size);
  family.prompt.any_placeholder = true;
  family.prompt.positions =
      media.settings.upstream_positions
          ? upstream_generate_positions(parts.vision.merge_size)
          : timed_positions(parts.vision.merge_size, PositionsAfterMedia::longest_axis);
  family.template_text = kTemplate;
  family.template_name = "video-SALMONN 2+";
  family.own_template = true;
  family.max_tokens = parts.max_tokens;
  family.plan_media = [media](const Conversation& c) { return plan_salmonn2_plus_media(c, media); };
  family.prepare_media = [media](const Conversation& c) {
    return prepare_salmonn2_plus_media(c, media);
  };
  return family;
}

}  // namespace tarsier
