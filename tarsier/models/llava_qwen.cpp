#include "tarsier/models/llava_qwen.h"

#include <fmt/format.h>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

constexpr std::string_view kTower = "siglip-so400m-patch14-384";
constexpr double kGrey = 0.5;  // SigLIP's mean and deviation of every colour

}  // namespace

bool is_llava_qwen(const JsonView& config) {
  return config.has("mm_vision_tower") && config.has("mm_projector_type");
}

ClipVitConfig llava_qwen_vision(const JsonView& config) {
  const std::string projector = config.at("mm_projector_type").as_string();
  if (projector != "mlp2x_gelu")
    config.at("mm_projector_type").fail("is '" + projector + "'", "expected 'mlp2x_gelu'");
  const std::string tower = config.at("mm_vision_tower").as_string();
  if (const auto vision = config.find("vision_config")) {
    const ClipVitConfig read = clip_vit_config(*vision);
    if (read.kind != ClipVitConfig::Kind::siglip)
      vision->at("model_type").fail("is not siglip_vision_model", "LlavaQwen sees with SigLIP");
    return read;
  }
  if (!tower.ends_with(kTower)) {
    config.at("mm_vision_tower")
        .fail("is '" + tower + "', which is not supported",
              fmt::format("supported: google/{}, or one that vision_config describes", kTower));
  }
  return ClipVitConfig::siglip_so400m();
}

Network llava_qwen_network(const JsonView& config, const LlavaEncoderConfig& encoder) {
  Network network;
  network.decoder = qwen2_vl_decoder_config(config);
  if (!network.decoder.mrope_section.empty())
    config.fail("has an mrope_section", "LlavaQwen counts its positions on one axis");
  network.encoder = llava_encoder(encoder);
  network.names = kLlavaQwenNames;
  network.published_names = kLlavaQwenNames;
  return network;
}

Family llava_qwen_family(const JsonView& config, const LlavaEncoderConfig& encoder,
                         LlavaMediaConfig media, const LoadOptions& options) {
  const std::int64_t side = encoder.vision.image_size;
  if (options.max_pixels && *options.max_pixels != side * side) {
    throw ConfigError({"--max-pixels", "does not apply to this model",
                       fmt::format("{} sees every frame as {}x{}", media.family, side, side)});
  }
  media.square = {side, /*by_longer_side=*/false, {kGrey, kGrey, kGrey}, {kGrey, kGrey, kGrey}};
  media.grid_side = encoder.vision.side();
  media.tokens_per_frame = encoder.tokens_per_frame();
  media.closing_tokens = encoder.closing_tokens();
  media.anyres = encoder.anyres;
  Family family;
  family.network = llava_qwen_network(config, encoder);
  family.plan_media = [media](const Conversation& c) { return plan_llava_media(c, media); };
  family.prepare_media = [media](const Conversation& c) { return prepare_llava_media(c, media); };
  family.prompt.slot_text = "<image>";
  family.prompt.break_text = "\xEF\xB7\x91";  // a Unicode noncharacter
  family.own_template = true;
  family.max_tokens = config.int_or("max_position_embeddings", 32768);
  family.penalize_prompt = false;  // upstream generates from embeddings, without the prompt's ids
  family.hears = encoder.ears.has_value();
  return family;
}

}  // namespace tarsier
