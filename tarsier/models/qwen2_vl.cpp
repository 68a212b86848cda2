#include "tarsier/models/qwen2_vl.h"

#include "tarsier/models/qwen2_vl_encoder.h"

namespace tarsier {
namespace {

// transformers 4.52 and newer may move the language keys into text_config.
JsonView text_of(const JsonView& config) { return config.find("text_config").value_or(config); }

}  // namespace

Network qwen2_vl_network(const JsonView& config) {
  const JsonView text = text_of(config);
  Network network;
  network.decoder = qwen2_vl_decoder_config(text);
  // The flag may stand at either level; the checkpoint is tied when one says so.
  network.decoder.tied_head =
      config.bool_or("tie_word_embeddings", false) || text.bool_or("tie_word_embeddings", false);
  network.encoder = qwen2_vl_encoder(
      qwen2_vl_vit_config(config.at("vision_config"), network.decoder.hidden_size));
  network.names = kQwen2VlNames;
  network.published_names = kPublishedQwen2VlNames;
  return network;
}

Family qwen2_vl_family(const std::filesystem::path& directory, const JsonView& config,
                       const LoadOptions& options) {
  Family family;
  family.name = "qwen2_vl";
  family.network = qwen2_vl_network(config);
  const Qwen2VlVitConfig vision =
      qwen2_vl_vit_config(config.at("vision_config"), family.network.decoder.hidden_size);
  Qwen2VlVideoConfig processor = read_qwen2_vl_config(directory);
  check_processor(vision, processor);
  limit_pixels(processor, options.max_pixels);
  family.sampling = qwen2_vl_sampling();
  family.prompt.image_token = config.int_or("image_token_id", 151655);
  family.prompt.video_token = config.int_or("video_token_id", 151656);
  family.prompt.positions = mrope_rule(vision.merge_size, positions_after_media(config));
  family.max_tokens = text_of(config).int_or("max_position_embeddings", 32768);
  family.plan_media = [processor](const Conversation& c) {
    return plan_qwen2_vl_media(c, processor);
  };
  family.prepare_media = [processor](const Conversation& c) {
    return prepare_qwen2_vl_media(c, processor);
  };
  return family;
}

}  // namespace tarsier
