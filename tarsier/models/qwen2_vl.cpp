#include "tarsier/models/qwen2_vl.h"

#include "tarsier/models/qwen2_vl_model.h"

namespace tarsier {

std::shared_ptr<VideoLanguageModel> load_qwen2_vl(const std::filesystem::path& directory,
                                                  const JsonView& config,
                                                  const LoadOptions& options) {
  // transformers 4.52 and newer may move the language keys into text_config.
  const JsonView text = config.has("text_config") ? config.at("text_config") : config;
  Qwen2VlFamily family;
  family.name = "qwen2_vl";
  family.decoder = qwen2_vl_decoder_config(text);
  // The flag may stand at either level; the checkpoint is tied when one says so.
  family.decoder.tied_head =
      config.bool_or("tie_word_embeddings", false) || text.bool_or("tie_word_embeddings", false);
  family.vision = qwen2_vl_vit_config(config.at("vision_config"), family.decoder.hidden_size);
  family.processor = read_qwen2_vl_config(directory);
  family.sampling = qwen2_vl_sampling();
  family.prompt.image_token = config.int_or("image_token_id", 151655);
  family.prompt.video_token = config.int_or("video_token_id", 151656);
  family.prompt.after_media = positions_after_media(config);
  family.prompt.frame_markers = family.processor.frame_markers;
  family.published_names = kPublishedQwen2VlNames;
  family.max_tokens = text.int_or("max_position_embeddings", 32768);
  family.plan_media = [](const Conversation& c, const Qwen2VlVideoConfig& p) {
    return plan_qwen2_vl_media(c, p);
  };
  family.prepare_media = [](const Conversation& c, const Qwen2VlVideoConfig& p) {
    return prepare_qwen2_vl_media(c, p);
  };
  return load_qwen2_vl_model(directory, std::move(family), options);
}

}  // namespace tarsier
