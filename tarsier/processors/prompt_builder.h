#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tarsier/processors/conversation.h"
#include "tarsier/processors/media_block.h"
#include "tarsier/processors/model_inputs.h"
#include "tarsier/text/chat_template_source.h"
#include "tarsier/text/tokenizer.h"

namespace tarsier {

struct PromptOptions {
  std::int64_t image_token = 151655;  // the placeholder's id; config.json's image_token_id
  std::int64_t video_token = 151656;  // -1 when the family has none
  bool one_placeholder = false;       // videos use the image placeholder too: Tarsier2
  std::int64_t audio_token = -1;      // -1 when the family has none
  bool any_placeholder = false;       // the template writes one kind for all: the blocks decide
  PositionRule positions = counting_rule();
  /// The tokenizer's own tokens go around a prompt ("<s>" for Llama): for templates that do not
  /// write them.
  bool sequence_tokens = false;
  std::int64_t max_tokens = 0;  // of a prompt; 0: no limit
  bool special_tokens_in_text =
      false;  // "<|im_end|>" in a message is the token, as in transformers, not its letters
  /// Where the rendered template holds it a media block goes, whatever its kind; the text on either
  /// side is tokenised for itself. It is no token of the vocabulary, and neither are the
  /// placeholders above: `slot_token` stands for every media token. Empty: no slots.
  std::string slot_text = {};
  std::int64_t slot_token = 0;
  std::string break_text = {};  // with slots: parts the text on either side, and is left out
};

/// Words and media blocks into token ids, spans, positions and the target mask, by the checkpoint's
/// own chat template. Immutable; any number of threads. The tokenizer must outlive it.
///
/// The template gets what transformers gives it: messages whose content is a list of {type: text |
/// image | video} items, each picture with num_vision_tokens, and add_generation_prompt and
/// strip_final_eos. It may write one placeholder for a picture or all of them; anything else is a
/// CheckpointError naming both numbers.
class PromptBuilder {
 public:
  PromptBuilder(const Tokenizer& tokenizer, FoundChatTemplate chat_template, PromptOptions options);

  /// For generation. `blocks` has one for each image, video or sound, in order of appearance. An
  /// assistant message at the end is left open, so that generation continues it; otherwise the
  /// assistant's turn is opened. InputError: no message, or more than max_tokens tokens (nothing is
  /// ever cut off).
  Prompt build(const Conversation& conversation, std::span<const MediaBlock> blocks) const;

  /// For training. The last message is the assistant's whole answer; is_target marks its tokens and
  /// the one that ends its turn, where the prompt ends. CheckpointError when the template or
  /// tokenizer joins prompt and answer, so that the prompt alone is not how the whole begins.
  Prompt build_for_training(const Conversation& conversation,
                            std::span<const MediaBlock> blocks) const;

  const std::string& template_origin() const { return chat_template_.origin; }
  bool template_is_built_in() const { return chat_template_.is_built_in; }
  const PromptOptions& options() const { return options_; }

 private:
  struct Render;
  /// Whose placeholder a token is; none for others.
  std::optional<Modality> modality_of(std::int64_t id) const;
  std::int64_t placeholder_of(Modality modality) const;
  std::vector<std::int64_t> encode(const std::string& rendered, const Render& render) const;
  Prompt fill(const std::vector<std::int64_t>& ids, const Conversation& conversation,
              std::span<const MediaBlock> blocks) const;

  const Tokenizer& tokenizer_;
  FoundChatTemplate chat_template_;
  PromptOptions options_;
  std::vector<std::pair<std::string, std::int64_t>> special_tokens_;  // longest first
  std::string eos_token_;
};

}  // namespace tarsier
