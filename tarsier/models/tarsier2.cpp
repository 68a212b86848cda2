#include "tarsier/models/tarsier2.h"

#include "tarsier/models/qwen2_vl_model.h"

namespace tarsier {

std::shared_ptr<VideoLanguageModel> load_tarsier2(const std::filesystem::path& directory,
                                                  const JsonView& config,
                                                  const LoadOptions& options) {
  const JsonView text = config.at("text_config");  // the whole language configuration of Qwen2-VL
  if (config.has("projection_head")) {
    config.at("projection_head")
        .fail("is not null, which is not supported",
              "Tarsier2 has no projector besides the vision tower's merger");
  }
  Qwen2VlFamily family;
  family.name = "tarsier2";
  family.decoder = qwen2_vl_decoder_config(text);
  family.vision = qwen2_vl_vit_config(config.at("vision_config"), family.decoder.hidden_size);
  family.processor = read_qwen2_vl_config(directory);
  family.sampling = tarsier2_sampling(family.processor.tarsier2);
  // Videos use the image placeholder too, one block for a whole video (models-tarsier.md 5.2, trap
  // 13).
  family.prompt.image_token =
      config.int_or("image_token_index", text.int_or("image_token_id", 151655));
  family.prompt.video_token = -1;
  family.prompt.one_placeholder = true;
  family.prompt.after_media = positions_after_media(config);
  family.prompt.frame_markers = family.processor.frame_markers;
  family.prompt.max_tokens = family.processor.tarsier2.max_tokens;
  family.published_names = kPublishedTarsier2Names;
  family.max_tokens = text.int_or("max_position_embeddings", 32768);
  family.plan_media = plan_tarsier2_media;
  family.prepare_media = prepare_tarsier2_media;
  return load_qwen2_vl_model(directory, std::move(family), options);
}

}  // namespace tarsier
