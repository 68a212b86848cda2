#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tarsier/models/towers/qwen2_vl_vit.h"
#include "tarsier/models/video_language_model.h"
#include "tarsier/processors/prompt_builder.h"
#include "tarsier/processors/qwen2_vl_config.h"

namespace tarsier {

/// What sets one family with Qwen2-VL's network apart from another: configuration, pixels, names.
struct Qwen2VlFamily {
  std::string name;
  DecoderConfig decoder;
  Qwen2VlVitConfig vision;
  Qwen2VlVideoConfig processor;
  SamplingRule sampling;
  PromptOptions prompt;
  std::span<const Rename> published_names;
  std::int64_t max_tokens = 0;
  std::function<std::vector<SeenMedia>(const Conversation&, const Qwen2VlVideoConfig&)> plan_media;
  std::function<PreparedMedia(const Conversation&, const Qwen2VlVideoConfig&)> prepare_media;
};

/// The rule a checkpoint was made with: transformers changed it in version 5, and config.json
/// records the version.
PositionsAfterMedia positions_after_media(const JsonView& config);

/// The network of Qwen2-VL filled from a directory's weights (or freshly), with its tokenizer and
/// chat template.
std::shared_ptr<VideoLanguageModel> load_qwen2_vl_model(const std::filesystem::path& directory,
                                                        Qwen2VlFamily family,
                                                        const LoadOptions& options);

}  // namespace tarsier
