#include "tarsier/processors/prompt_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "tarsier/base/error.h"
#include "tarsier/processors/media_preparation.h"

namespace tarsier {
namespace {

using SpecialTokens = std::vector<std::pair<std::string, std::int64_t>>;

// A Unicode noncharacter: no text means anything by it, so it can carry our own marks through a
// template.
constexpr std::string_view kMark = "\xEF\xB7\x90";

// Ids of no vocabulary, for what a template writes besides words.
constexpr std::int64_t kSlot = -1, kBreak = -2;

bool ends_open(const Conversation& conversation) { return conversation.back().role == "assistant"; }

struct Found {
  std::size_t at;
  const std::pair<std::string, std::int64_t>* token;
};

/// The first special token in `text` from `from` on; of several at one place the longest.
std::optional<Found> find_special(std::string_view text, std::size_t from,
                                  const SpecialTokens& tokens) {
  std::optional<Found> first;
  for (const auto& token : tokens) {
    const std::size_t at = text.find(token.first, from);
    if (at != std::string_view::npos && (!first || at < first->at)) first = Found{at, &token};
  }
  return first;
}

std::size_t placeholders_from(const std::vector<std::int64_t>& ids, std::size_t begin) {
  std::size_t end = begin;
  while (end < ids.size() && ids[end] == ids[begin]) ++end;
  return end - begin;
}

std::vector<Modality> modalities_of(const Conversation& conversation) {
  std::vector<Modality> modalities;
  for (const Pictures* medium : media_of(conversation)) modalities.push_back(medium->modality);
  return modalities;
}

const char* name_of(Modality modality) {
  switch (modality) {
    case Modality::image:
      return "image";
    case Modality::video:
      return "video";
    case Modality::audio:
      return "audio";
  }
  throw_broken_promise("a part is an image, a video or sound");
}

}  // namespace

/// One rendering: the template's variables, and what stands in for words that must not be read as
/// tokens.
struct PromptBuilder::Render {
  std::string mark;       // occurs in no message
  std::string eos_token;  // as the tokenizer spells it
  std::vector<std::string>
      masked;  // mark + number + mark stands for these special strings of messages
  nlohmann::json messages = nlohmann::json::array();

  Render(const Conversation& conversation, std::span<const MediaBlock> blocks,
         const SpecialTokens& specials, const PromptOptions& options, std::string eos)
      : mark(unused_mark(conversation)), eos_token(std::move(eos)) {
    std::size_t media = 0;
    for (const Message& message : conversation) {
      auto content = nlohmann::json::array();
      for (const Part& part : message.parts) {
        if (part.pictures) {
          content.push_back({{"type", name_of(part.pictures->modality)},
                             {"num_vision_tokens", blocks[media++].tokens()}});
        } else {
          const std::string text =
              options.special_tokens_in_text ? part.text : masked_text(part.text, specials);
          content.push_back({{"type", "text"}, {"text", text}});
        }
      }
      messages.push_back({{"role", message.role}, {"content", std::move(content)}});
    }
  }

  static std::string unused_mark(const Conversation& conversation) {
    std::string mark(kMark);
    const auto is_used = [&](const Part& part) {
      return part.text.find(mark) != std::string::npos;
    };
    const auto uses = [&](const Message& message) {
      return std::ranges::any_of(message.parts, is_used);
    };
    while (std::ranges::any_of(conversation, uses)) mark += kMark;
    return mark;
  }

  std::string masked_text(const std::string& text, const SpecialTokens& specials) {
    std::string result;
    std::size_t at = 0;
    while (const auto found = find_special(text, at, specials)) {
      result += text.substr(at, found->at - at) + fmt::format("{0}{1}{0}", mark, masked.size());
      masked.push_back(found->token->first);
      at = found->at + found->token->first.size();
    }
    return result + text.substr(at);
  }

  std::string unmasked(std::string text) const {
    for (std::size_t i = 0; i < masked.size(); ++i) {
      const std::string stand_in = fmt::format("{0}{1}{0}", mark, i);
      for (std::size_t at = 0; (at = text.find(stand_in, at)) != std::string::npos;
           at += masked[i].size()) {
        text.replace(at, stand_in.size(), masked[i]);
      }
    }
    return text;
  }

  /// Marks where the last message's words end, whatever a template writes after them.
  std::string mark_end() {
    const std::string end = mark + "end" + mark;
    auto& content = messages.back()["content"];
    if (!content.empty() && content.back()["type"] == "text") {
      content.back()["text"] = content.back()["text"].get<std::string>() + end;
    } else {
      content.push_back({{"type", "text"}, {"text", end}});
    }
    return end;
  }

  std::string text(const ChatTemplate& chat_template, bool add_generation_prompt,
                   bool strip_final_eos) const {
    return chat_template.render({{"messages", messages},
                                 {"add_generation_prompt", add_generation_prompt},
                                 {"strip_final_eos", strip_final_eos},
                                 {"eos_token", eos_token}});
  }

  /// A rendering in two: up to the end of the last message's words, and what closes its turn.
  static std::pair<std::string, std::string> split(const std::string& rendered,
                                                   const std::string& end,
                                                   const std::string& origin) {
    const std::size_t at = rendered.rfind(end);
    if (at == std::string::npos) {
      throw CheckpointError({origin, "leaves out the words of the assistant's last message",
                             "use a chat template that writes every message"});
    }
    return {rendered.substr(0, at), rendered.substr(at + end.size())};
  }
};

PromptBuilder::PromptBuilder(const Tokenizer& tokenizer, FoundChatTemplate chat_template,
                             PromptOptions options)
    : tokenizer_(tokenizer),
      chat_template_(std::move(chat_template)),
      options_(std::move(options)) {
  // A template made for Qwen2-VL, such as the built-in one, writes the video's placeholder for
  // Tarsier2's videos too.
  if (options_.one_placeholder && options_.video_token < 0) {
    options_.video_token = tokenizer.id_of("<|video_pad|>").value_or(-1);
  }
  for (std::int64_t id = 0; id < tokenizer.vocab_size(); ++id) {
    if (tokenizer.is_special(id) || modality_of(id))
      special_tokens_.emplace_back(tokenizer.spelling_of(id), id);
  }
  if (!options_.slot_text.empty()) special_tokens_.emplace_back(options_.slot_text, kSlot);
  if (!options_.break_text.empty()) special_tokens_.emplace_back(options_.break_text, kBreak);
  if (const auto eos = tokenizer.eos_id()) eos_token_ = tokenizer.spelling_of(*eos);
  std::erase_if(special_tokens_, [](const auto& token) { return token.first.empty(); });
  std::ranges::stable_sort(special_tokens_, std::greater<>{},
                           [](const auto& token) { return token.first.size(); });
}

std::optional<Modality> PromptBuilder::modality_of(std::int64_t id) const {
  if (id < 0 || !options_.slot_text.empty()) return std::nullopt;
  if (id == options_.image_token) return Modality::image;
  if (id == options_.video_token) return Modality::video;
  if (id == options_.audio_token) return Modality::audio;
  return std::nullopt;
}

std::int64_t PromptBuilder::placeholder_of(Modality modality) const {
  if (!options_.slot_text.empty()) return options_.slot_token;
  if (modality == Modality::audio) return options_.audio_token;
  return modality == Modality::image || options_.one_placeholder ? options_.image_token
                                                                 : options_.video_token;
}

std::vector<std::int64_t> PromptBuilder::encode(const std::string& rendered,
                                                const Render& render) const {
  const auto whole = [&](std::vector<std::int64_t> ids) {
    return options_.sequence_tokens ? tokenizer_.with_sequence_tokens(ids) : ids;
  };
  if (render.masked.empty() && options_.slot_text.empty())
    return whole(tokenizer_.encode(rendered));
  // What still reads as a special token was written by the template; all between is letters.
  std::vector<std::int64_t> ids;
  std::size_t at = 0;
  const auto append_text = [&](std::size_t end) {
    const auto text_ids = tokenizer_.encode_as_text(render.unmasked(rendered.substr(at, end - at)));
    ids.insert(ids.end(), text_ids.begin(), text_ids.end());
  };
  while (const auto found = find_special(rendered, at, special_tokens_)) {
    append_text(found->at);
    if (found->token->second != kBreak) ids.push_back(found->token->second);
    at = found->at + found->token->first.size();
  }
  append_text(rendered.size());
  return whole(std::move(ids));
}

Prompt PromptBuilder::fill(const std::vector<std::int64_t>& ids, const Conversation& conversation,
                           std::span<const MediaBlock> blocks) const {
  const auto refuse = [&](std::string what) {
    throw CheckpointError(
        {chat_template_.origin, std::move(what),
         "the chat template must write one placeholder for each picture, or all of them"});
  };
  const std::vector<Modality> modalities = modalities_of(conversation);
  Prompt prompt;
  std::vector<PlacedRun> placed;
  std::int64_t media_tokens = 0;
  const auto add_block = [&](std::size_t index) {
    for (const MediaRun& run : blocks[index].runs) {
      const auto begin = static_cast<std::int64_t>(prompt.tokens.size());
      prompt.spans.push_back({run.modality, begin, run.tokens});
      prompt.tokens.insert(prompt.tokens.end(), static_cast<std::size_t>(run.tokens),
                           placeholder_of(run.modality));
      placed.push_back({begin, index, run});
      media_tokens += run.tokens;
      if (run.words_after.empty()) continue;
      const auto words = tokenizer_.encode_as_text(run.words_after);
      prompt.tokens.insert(prompt.tokens.end(), words.begin(), words.end());
    }
  };
  std::size_t media = 0;
  for (std::size_t i = 0; i < ids.size();) {
    const bool is_slot = ids[i] == kSlot;
    const std::optional<Modality> kind = modality_of(ids[i]);
    if (!kind && !is_slot) {
      prompt.tokens.push_back(ids[i++]);
      continue;
    }
    if (media == blocks.size()) {
      refuse(fmt::format("writes more placeholders than there are pictures ({})", blocks.size()));
    }
    if (is_slot) {
      add_block(media++);
      ++i;
      continue;
    }
    if (!options_.one_placeholder && !options_.any_placeholder && *kind != modalities[media]) {
      refuse(fmt::format("writes the placeholder of an {} where the {} stands", name_of(*kind),
                         name_of(modalities[media])));
    }
    // Neighbours without a word between them are one run, of one placeholder each.
    const std::size_t run = placeholders_from(ids, i), left = blocks.size() - media;
    const std::int64_t needed = blocks[media].tokens();
    const bool whole = static_cast<std::int64_t>(run) == needed;
    if (!whole && run > left) {
      refuse(fmt::format("writes {} placeholders for picture {}, which has {} tokens", run,
                         media + 1, needed));
    }
    add_block(media++);
    i += whole ? run : 1;
  }
  if (media != blocks.size()) {
    refuse(fmt::format("writes placeholders for {} pictures, there are {}", media, blocks.size()));
  }
  const auto tokens = static_cast<std::int64_t>(prompt.tokens.size());
  if (options_.max_tokens > 0 && tokens > options_.max_tokens) {
    throw InputError(
        {"prompt",
         fmt::format("has {} tokens, {} of them of pictures; the model takes at most {}", tokens,
                     media_tokens, options_.max_tokens),
         "use fewer frames (--frames) or fewer words"});
  }
  PromptPositions positions = options_.positions(tokens, placed);
  prompt.positions = std::move(positions.positions);
  prompt.next_position = positions.next_position;
  return prompt;
}

Prompt PromptBuilder::build(const Conversation& conversation,
                            std::span<const MediaBlock> blocks) const {
  check(modalities_of(conversation).size() == blocks.size(), "every picture has a block");
  if (conversation.empty()) throw InputError({"messages", "are empty", "send at least one"});
  Render render(conversation, blocks, special_tokens_, options_, eos_token_);
  std::string text;
  if (ends_open(conversation)) {
    const std::string end = render.mark_end();
    text = Render::split(render.text(chat_template_.chat_template, false, true), end,
                         chat_template_.origin)
               .first;
  } else {
    text = render.text(chat_template_.chat_template, true, false);
  }
  return fill(encode(text, render), conversation, blocks);
}

Prompt PromptBuilder::build_for_training(const Conversation& conversation,
                                         std::span<const MediaBlock> blocks) const {
  check(modalities_of(conversation).size() == blocks.size(), "every picture has a block");
  if (conversation.size() < 2 || !ends_open(conversation)) {
    throw InputError(
        {"messages", "do not end with the assistant's answer", "give a question and its answer"});
  }
  const ChatTemplate& chat_template = chat_template_.chat_template;
  const Conversation question(conversation.begin(), conversation.end() - 1);
  const Render prompt_render(question, blocks, special_tokens_, options_, eos_token_);
  const auto prompt_ids = encode(prompt_render.text(chat_template, true, false), prompt_render);

  Render render(conversation, blocks, special_tokens_, options_, eos_token_);
  const std::string end = render.mark_end();
  const auto [answered, closing] =
      Render::split(render.text(chat_template, false, false), end, chat_template_.origin);
  auto ids = encode(answered, render);
  const auto closing_ids = tokenizer_.encode(closing);
  if (closing_ids.empty() || !tokenizer_.is_special(closing_ids[0])) {
    throw CheckpointError({chat_template_.origin,
                           "does not end the assistant's turn with a special token",
                           "training needs one that says the answer is over"});
  }
  if (ids.size() < prompt_ids.size() ||
      !std::equal(prompt_ids.begin(), prompt_ids.end(), ids.begin())) {
    throw CheckpointError({chat_template_.origin, "joins prompt and answer into common tokens",
                           "the prompt must end in a token of its own"});
  }
  ids.push_back(closing_ids[0]);
  const std::size_t targets = ids.size() - prompt_ids.size();
  Prompt prompt = fill(ids, conversation, blocks);
  prompt.is_target.assign(prompt.tokens.size(), 0);
  std::fill(prompt.is_target.end() - static_cast<std::ptrdiff_t>(targets), prompt.is_target.end(),
            std::uint8_t{1});
  return prompt;
}

}  // namespace tarsier
