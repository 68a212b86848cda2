#include "tarsier/models/salmonn2.h"

#include <fmt/format.h>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/weight_index.h"
#include "tarsier/models/llava_qwen.h"
#include "tarsier/models/salmonn2_settings.h"

namespace tarsier {
namespace {

constexpr std::int64_t kMostChunks = 201;  // rows of the chunks' sinusoid

// models-video-salmonn-2.md 4.1: whatever the medium, it stands first in its message, and each
// piece is tokenised for itself, so that two line breaks are two tokens. U+FDD1 parts the pieces.
constexpr std::string_view kTemplate =
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>{{ '\n' }}{% endif %}"
    "<|im_start|>{{ message['role'] }}\xEF\xB7\x91{{ '\n' }}\xEF\xB7\x91"
    "{% set seen = namespace(media=false) %}"
    "{% for part in message['content'] %}{% if part['type'] != 'text' %}"
    "{% set seen.media = true %}<image>{% endif %}{% endfor %}"
    "{% if seen.media %}{{ '\n' }}\xEF\xB7\x91{{ '\n' }}{% endif %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}"
    "{% endif %}{% endfor %}<|im_end|>{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant{{ '\n' }}{% endif %}";

constexpr Rename kWhisperNames[] = {
    {"model.encoder.", "speech_encoder."},
    {"model.decoder.", "unused."},
    {"proj_out.", "unused."},
};

struct SoundWeights {
  bool readable = false;  // there are weights at all
  bool sound = false;     // of the Q-Former and what follows it
  bool whisper = false;
};

SoundWeights sound_weights(const std::filesystem::path& directory) {
  SoundWeights found;
  for (const std::string& name : weight_names(directory)) {
    const bool whisper = name.starts_with("speech_encoder.");
    found.readable = true;
    found.whisper |= whisper;
    found.sound |= !whisper && name.starts_with("speech_");
  }
  return found;
}

/// Where Whisper's weights come from when the checkpoint has everything else.
std::optional<BorrowedWeights> borrowed_whisper(const SoundWeights& found,
                                                const Salmonn2Settings& settings) {
  if (found.whisper || !found.sound) return std::nullopt;
  if (settings.whisper.empty()) {
    throw CheckpointError(
        {"model.safetensors", "holds no speech_encoder.*, Whisper's encoder",
         fmt::format("name a folder of whisper-large-v3 as whisper_directory in {0}, or set "
                     "audio_visual to false there",
                     kSalmonn2SettingsFile)});
  }
  if (!std::filesystem::is_directory(settings.whisper)) {
    throw CheckpointError({fmt::format("{}: whisper_directory", kSalmonn2SettingsFile),
                           fmt::format("{} is not a folder", settings.whisper.string()),
                           "give the path of whisper-large-v3, seen from the model directory"});
  }
  return BorrowedWeights{settings.whisper, "speech_encoder.", kWhisperNames, {"unused."}};
}

LlavaEncoderConfig encoder_config(const JsonView& config, const Salmonn2Settings& settings,
                                  const SoundWeights& found) {
  LlavaEncoderConfig encoder;
  encoder.vision = llava_qwen_vision(config);
  encoder.hidden_size = config.at("hidden_size").as_int(1, 1 << 20);
  if (settings.hears.value_or(found.sound || !found.readable)) {
    encoder.ears = {settings.whisper_config, settings.qformer, settings.final_linear,
                    encoder.hidden_size};
  }
  return encoder;
}

}  // namespace

bool is_salmonn2(const std::filesystem::path& directory) {
  return std::filesystem::exists(directory / kSalmonn2SettingsFile) ||
         sound_weights(directory).sound;
}

Network salmonn2_network(const std::filesystem::path& directory, const JsonView& config) {
  return llava_qwen_network(
      config,
      encoder_config(config, read_salmonn2_settings(directory, config), sound_weights(directory)));
}

Family salmonn2_family(const std::filesystem::path& directory, const JsonView& config,
                       const LoadOptions& options) {
  if (options.trainable) {
    throw ConfigError({directory.string(), "video-SALMONN 2 cannot be trained yet",
                       "train a Qwen2-VL or Tarsier2 model"});
  }
  const Salmonn2Settings settings = read_salmonn2_settings(directory, config);
  const SoundWeights found = sound_weights(directory);
  const LlavaEncoderConfig encoder = encoder_config(config, settings, found);
  LlavaMediaConfig media;
  media.family = "video-SALMONN 2";
  media.fewest_frames = 2;
  media.most_media = 1;
  std::optional<BorrowedWeights> borrowed;
  if (encoder.ears) {
    media.tokens_per_chunk = encoder.ears->tokens_per_chunk();
    media.most_chunks = kMostChunks;
    media.sound_alone_seconds = settings.max_seconds;
    if (!options.without_weights) borrowed = borrowed_whisper(found, settings);
  }
  std::shared_ptr<const Tokenizer> tokenizer;
  if (settings.time_words) {
    tokenizer = Tokenizer::load(directory);
    media.time_ids = [tokenizer](const std::string& words) {
      return tokenizer->encode_as_text(words);
    };
  }
  Family family = llava_qwen_family(config, encoder, media, options);
  family.name = "salmonn2";
  family.sampling = salmonn2_sampling(settings.fps, settings.max_frames());
  family.prompt.max_tokens = settings.max_tokens;
  family.template_text = kTemplate;
  family.template_name = "video-SALMONN 2";
  family.tokenizer = tokenizer;
  family.borrowed = std::move(borrowed);
  return family;
}

}  // namespace tarsier
