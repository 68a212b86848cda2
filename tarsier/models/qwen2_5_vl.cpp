#include "tarsier/models/qwen2_5_vl.h"

#include <fmt/format.h>

#include "tarsier/base/error.h"
#include "tarsier/models/qwen2_5_vl_encoder.h"
#include "tarsier/models/qwen2_vl_encoder.h"
#include "tarsier/processors/qwen2_5_vl_media.h"
#include "tarsier/processors/timed_positions.h"

namespace tarsier {

void check_processor(const Qwen2_5VlVitConfig& vision, const Qwen2VlVideoConfig& processor) {
  Qwen2VlVitConfig cuts;
  cuts.patch_size = vision.patch_size;
  cuts.temporal_patch_size = vision.temporal_patch_size;
  cuts.merge_size = vision.merge_size;
  check_processor(cuts, processor);
}

Qwen2_5VlParts qwen2_5_vl_parts(const JsonView& config) {
  // transformers 4.52 and newer may move the language keys into text_config.
  const JsonView text = config.has("text_config") ? config.at("text_config") : config;
  const JsonView vision = config.at("vision_config");
  Qwen2_5VlParts parts;
  parts.decoder = qwen2_vl_decoder_config(text);
  // The flag may stand at either level; the checkpoint is tied when one says so.
  parts.decoder.tied_head =
      config.bool_or("tie_word_embeddings", false) || text.bool_or("tie_word_embeddings", false);
  parts.vision = qwen2_5_vl_vit_config(vision, parts.decoder.hidden_size);
  parts.steps_per_second = vision.double_or("tokens_per_second", 4);  // transformers' default
  parts.image_token = config.int_or("image_token_id", parts.image_token);
  parts.video_token = config.int_or("video_token_id", parts.video_token);
  parts.max_tokens = text.int_or("max_position_embeddings", 128000);
  return parts;
}

Network qwen2_5_vl_network(const JsonView& config) {
  const Qwen2_5VlParts parts = qwen2_5_vl_parts(config);
  Network network;
  network.decoder = parts.decoder;
  network.encoder = qwen2_5_vl_encoder(parts.vision, std::nullopt);
  network.names = kQwen2VlNames;
  network.published_names = kPublishedQwen2VlNames;
  return network;
}

Family qwen2_5_vl_family(const std::filesystem::path& directory, const JsonView& config,
                         const LoadOptions& options) {
  const Qwen2_5VlParts parts = qwen2_5_vl_parts(config);
  Qwen2VlVideoConfig processor = read_qwen2_vl_config(directory);
  check_processor(parts.vision, processor);
  const std::int64_t least = qwen_vl_utils_min_pixels(processor.factor());
  if (options.max_pixels && *options.max_pixels < least) {
    throw ConfigError(
        {"--max-pixels",
         fmt::format("{} is below the {} the model needs", *options.max_pixels, least),
         "give more, or leave it out"});
  }
  limit_pixels(processor, options.max_pixels);
  Family family;
  family.name = "qwen2_5_vl";
  family.network = qwen2_5_vl_network(config);
  family.sampling = qwen2_vl_sampling();
  family.prompt.image_token = parts.image_token;
  family.prompt.video_token = parts.video_token;
  family.prompt.positions = timed_positions(parts.vision.merge_size, positions_after_media(config));
  family.max_tokens = parts.max_tokens;
  const double steps = parts.steps_per_second;
  family.plan_media = [=](const Conversation& c) {
    return plan_qwen2_5_vl_media(c, processor, steps);
  };
  family.prepare_media = [=](const Conversation& c) {
    return prepare_qwen2_5_vl_media(c, processor, steps);
  };
  return family;
}

}  // namespace tarsier
