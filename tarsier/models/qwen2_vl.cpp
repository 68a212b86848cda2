#include "tarsier/models/qwen2_vl.h"

#include "tarsier/models/family.h"
#include "tarsier/models/qwen2_vl_encoder.h"

namespace tarsier {

std::shared_ptr<VideoLanguageModel> load_qwen2_vl(const std::filesystem::path& directory,
                                                  const JsonView& config,
                                                  const LoadOptions& options) {
  // transformers 4.52 and newer may move the language keys into text_config.
  const JsonView text = config.has("text_config") ? config.at("text_config") : config;
  Family family;
  family.name = "qwen2_vl";
  family.decoder = qwen2_vl_decoder_config(text);
  // The flag may stand at either level; the checkpoint is tied when one says so.
  family.decoder.tied_head =
      config.bool_or("tie_word_embeddings", false) || text.bool_or("tie_word_embeddings", false);
  const Qwen2VlVitConfig vision =
      qwen2_vl_vit_config(config.at("vision_config"), family.decoder.hidden_size);
  Qwen2VlVideoConfig processor = read_qwen2_vl_config(directory);
  check_processor(vision, processor);
  limit_pixels(processor, options.max_pixels);
  family.encoder = qwen2_vl_encoder(vision);
  family.sampling = qwen2_vl_sampling();
  family.prompt.image_token = config.int_or("image_token_id", 151655);
  family.prompt.video_token = config.int_or("video_token_id", 151656);
  family.prompt.positions = mrope_rule(vision.merge_size, positions_after_media(config));
  family.names = kQwen2VlNames;
  family.published_names = kPublishedQwen2VlNames;
  family.max_tokens = text.int_or("max_position_embeddings", 32768);
  family.plan_media = [processor](const Conversation& c) {
    return plan_qwen2_vl_media(c, processor);
  };
  family.prepare_media = [processor](const Conversation& c) {
    return prepare_qwen2_vl_media(c, processor);
  };
  return load_family(directory, std::move(family), options);
}

}  // namespace tarsier
