#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tarsier/models/media_encoder.h"
#include "tarsier/models/video_language_model.h"
#include "tarsier/processors/prompt_builder.h"
#include "tarsier/text/chat_template_source.h"

namespace tarsier {

/// A family's weights, on the meta device: what config.json alone decides.
struct Network {
  DecoderConfig decoder;
  std::unique_ptr<MediaEncoder> encoder;
  std::span<const Rename> names;  // every layout a file may have -> our paths
  std::span<const Rename> published_names;
};

/// All that sets one family apart: everything else is shared. Made from a model directory's files,
/// without tokenizer and weights.
struct Family {
  std::string name;
  Network network;
  std::function<std::vector<SeenMedia>(const Conversation&)> plan_media;
  std::function<PreparedMedia(const Conversation&)> prepare_media;
  SamplingRule sampling;
  PromptOptions prompt;
  std::string_view template_text = kQwen2VlChatTemplate;  // where the directory has none
  std::string_view template_name = "Qwen2-VL";
  bool own_template = false;    // template_text whatever the directory has
  std::int64_t max_tokens = 0;  // longest prompt plus answer
};

/// The family's network filled from a directory's weights (or freshly), with its tokenizer and chat
/// template.
std::shared_ptr<VideoLanguageModel> load_family(const std::filesystem::path& directory,
                                                Family family, const LoadOptions& options);

}  // namespace tarsier
