#include "tarsier/models/tarsier2.h"

#include "tarsier/models/qwen2_vl_encoder.h"

namespace tarsier {

Network tarsier2_network(const JsonView& config) {
  if (config.has("projection_head")) {
    config.at("projection_head")
        .fail("is not null, which is not supported",
              "Tarsier2 has no projector besides the vision tower's merger");
  }
  Network network;
  // text_config is the whole language configuration of Qwen2-VL.
  network.decoder = qwen2_vl_decoder_config(config.at("text_config"));
  network.encoder = qwen2_vl_encoder(
      qwen2_vl_vit_config(config.at("vision_config"), network.decoder.hidden_size));
  network.names = kQwen2VlNames;
  network.published_names = kPublishedTarsier2Names;
  return network;
}

Family tarsier2_family(const std::filesystem::path& directory, const JsonView& config,
                       const LoadOptions& options) {
  Family family;
  family.name = "tarsier2";
  family.network = tarsier2_network(config);
  const JsonView text = config.at("text_config");
  const Qwen2VlVitConfig vision =
      qwen2_vl_vit_config(config.at("vision_config"), family.network.decoder.hidden_size);
  Qwen2VlVideoConfig processor = read_qwen2_vl_config(directory);
  check_processor(vision, processor);
  limit_pixels(processor, options.max_pixels);
  family.sampling = tarsier2_sampling(processor.tarsier2);
  // Videos use the image placeholder too, one block for a whole video (models-tarsier.md 5.2, trap
  // 13).
  family.prompt.image_token =
      config.int_or("image_token_index", text.int_or("image_token_id", 151655));
  family.prompt.video_token = -1;
  family.prompt.one_placeholder = true;
  family.prompt.positions = mrope_rule(vision.merge_size, positions_after_media(config));
  family.prompt.max_tokens = processor.tarsier2.max_tokens;
  family.max_tokens = text.int_or("max_position_embeddings", 32768);
  family.plan_media = [processor](const Conversation& c) {
    return plan_tarsier2_media(c, processor);
  };
  family.prepare_media = [processor](const Conversation& c) {
    return prepare_tarsier2_media(c, processor);
  };
  return family;
}

}  // namespace tarsier
