#include "tarsier/processors/prompt_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "tarsier/base/error.h"
#include "tarsier/processors/mrope_positions.h"

namespace tarsier {
namespace {

using SpecialTokens = std::vector<std::pair<std::string, std::int64_t>>;

// A Unicode noncharacter: no text means anything by it, so it can carry our own marks through a
// template.
constexpr std::string_view kMark = "\xEF\xB7\x90";

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
  for (const Message& message : conversation) {
    for (const Part& part : message.parts) {
      if (part.pictures) modalities.push_back(part.pictures->modality);
    }
  }
  return modalities;
}

const char* name_of(Modality modality) { return modality == Modality::image ? "image" : "video"; }

}  // namespace

/// One rendering: the template's variables, and what stands in for words that must not be read as
/// tokens.
struct PromptBuilder::Render {
  std::string mark;  // occurs in no message
  std::vector<std::string>
      masked;  // mark + number + mark stands for these special strings of messages
  nlohmann::json messages = nlohmann::json::array();

  Render(const Conversation& conversation, std::span<const PatchGrid> grids,
         const SpecialTokens& specials, const PromptOptions& options)
      : mark(unused_mark(conversation)) {
    std::size_t media = 0;
    for (const Message& message : conversation) {
      auto content = nlohmann::json::array();
      for (const Part& part : message.parts) {
        if (part.pictures) {
          content.push_back(
              {{"type", name_of(part.pictures->modality)},
               {"num_vision_tokens", grids[media++].media_tokens(options.merge_size)}});
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
                                 {"strip_final_eos", strip_final_eos}});
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
    : tokenizer_(tokenizer), chat_template_(std::move(chat_template)), options_(options) {
  // A template made for Qwen2-VL, such as the built-in one, writes the video's placeholder for
  // Tarsier2's videos too.
  if (options_.one_placeholder && options_.video_token < 0) {
    options_.video_token = tokenizer.id_of("<|video_pad|>").value_or(-1);
  }
  for (std::int64_t id = 0; id < tokenizer.vocab_size(); ++id) {
    if (tokenizer.is_special(id)) special_tokens_.emplace_back(tokenizer.bytes_of(id), id);
  }
  std::erase_if(special_tokens_, [](const auto& token) { return token.first.empty(); });
  std::ranges::stable_sort(special_tokens_, std::greater<>{},
                           [](const auto& token) { return token.first.size(); });
}

std::vector<std::int64_t> PromptBuilder::encode(const std::string& rendered,
                                                const Render& render) const {
  if (render.masked.empty()) return tokenizer_.encode(rendered);
  // What still reads as a special token was written by the template; all between is letters.
  std::vector<std::int64_t> ids;
  std::size_t at = 0;
  const auto append_text = [&](std::size_t end) {
    const auto text_ids = tokenizer_.encode_as_text(render.unmasked(rendered.substr(at, end - at)));
    ids.insert(ids.end(), text_ids.begin(), text_ids.end());
  };
  while (const auto found = find_special(rendered, at, special_tokens_)) {
    append_text(found->at);
    ids.push_back(found->token->second);
    at = found->at + found->token->first.size();
  }
  append_text(rendered.size());
  return ids;
}

Prompt PromptBuilder::fill(const std::vector<std::int64_t>& ids, const Conversation& conversation,
                           std::span<const PatchGrid> grids) const {
  const auto refuse = [&](std::string what) {
    throw CheckpointError(
        {chat_template_.origin, std::move(what),
         "the chat template must write one placeholder for each picture, or all of them"});
  };
  const std::vector<Modality> modalities = modalities_of(conversation);
  Prompt prompt;
  std::vector<PatchGrid> span_grids;
  std::int64_t media_tokens = 0;
  const auto add_span = [&](Modality modality, std::int64_t placeholder, PatchGrid grid) {
    const std::int64_t length = grid.media_tokens(options_.merge_size);
    prompt.spans.push_back({modality, static_cast<std::int64_t>(prompt.tokens.size()), length});
    prompt.tokens.insert(prompt.tokens.end(), static_cast<std::size_t>(length), placeholder);
    span_grids.push_back(grid);
    media_tokens += length;
  };
  std::size_t media = 0;
  for (std::size_t i = 0; i < ids.size();) {
    const bool is_image_kind = ids[i] == options_.image_token;
    if (!is_image_kind && (ids[i] != options_.video_token || options_.video_token < 0)) {
      prompt.tokens.push_back(ids[i++]);
      continue;
    }
    if (media == grids.size()) {
      refuse(fmt::format("writes more placeholders than there are pictures ({})", grids.size()));
    }
    const Modality modality = modalities[media];
    const PatchGrid& grid = grids[media];
    if (!options_.one_placeholder && is_image_kind != (modality == Modality::image)) {
      refuse(fmt::format("writes the placeholder of an {} where the {} stands",
                         is_image_kind ? "image" : "video", name_of(modality)));
    }
    const std::size_t run = placeholders_from(ids, i);
    const std::int64_t needed = grid.media_tokens(options_.merge_size);
    if (run != 1 && static_cast<std::int64_t>(run) != needed) {
      refuse(fmt::format("writes {} placeholders for picture {}, which has {} tokens", run,
                         media + 1, needed));
    }
    const std::int64_t placeholder = options_.one_placeholder ? options_.image_token : ids[i];
    if (options_.frame_markers && modality == Modality::video) {
      for (std::int64_t frame = 0; frame < grid.time; ++frame) {
        add_span(modality, placeholder, {1, grid.height, grid.width});
        const auto marker = tokenizer_.encode_as_text(std::to_string(frame + 1));
        prompt.tokens.insert(prompt.tokens.end(), marker.begin(), marker.end());
      }
    } else {
      add_span(modality, placeholder, grid);
    }
    i += run;
    ++media;
  }
  if (media != grids.size()) {
    refuse(fmt::format("writes placeholders for {} pictures, there are {}", media, grids.size()));
  }
  const auto tokens = static_cast<std::int64_t>(prompt.tokens.size());
  if (options_.max_tokens > 0 && tokens > options_.max_tokens) {
    throw InputError(
        {"prompt",
         fmt::format("has {} tokens, {} of them of pictures; the model takes at most {}", tokens,
                     media_tokens, options_.max_tokens),
         "use fewer frames (--frames) or fewer words"});
  }
  MropePositions positions =
      mrope_positions(tokens, prompt.spans, span_grids, options_.merge_size, options_.after_media);
  prompt.positions = std::move(positions.positions);
  prompt.next_position = positions.next_position;
  return prompt;
}

Prompt PromptBuilder::build(const Conversation& conversation,
                            std::span<const PatchGrid> grids) const {
  check(modalities_of(conversation).size() == grids.size(), "every picture has a grid");
  if (conversation.empty()) throw InputError({"messages", "are empty", "send at least one"});
  Render render(conversation, grids, special_tokens_, options_);
  std::string text;
  if (ends_open(conversation)) {
    const std::string end = render.mark_end();
    text = Render::split(render.text(chat_template_.chat_template, false, true), end,
                         chat_template_.origin)
               .first;
  } else {
    text = render.text(chat_template_.chat_template, true, false);
  }
  return fill(encode(text, render), conversation, grids);
}

Prompt PromptBuilder::build_for_training(const Conversation& conversation,
                                         std::span<const PatchGrid> grids) const {
  check(modalities_of(conversation).size() == grids.size(), "every picture has a grid");
  if (conversation.size() < 2 || !ends_open(conversation)) {
    throw InputError(
        {"messages", "do not end with the assistant's answer", "give a question and its answer"});
  }
  const ChatTemplate& chat_template = chat_template_.chat_template;
  const Conversation question(conversation.begin(), conversation.end() - 1);
  const Render prompt_render(question, grids, special_tokens_, options_);
  const auto prompt_ids = encode(prompt_render.text(chat_template, true, false), prompt_render);

  Render render(conversation, grids, special_tokens_, options_);
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
  Prompt prompt = fill(ids, conversation, grids);
  prompt.is_target.assign(prompt.tokens.size(), 0);
  std::fill(prompt.is_target.end() - static_cast<std::ptrdiff_t>(targets), prompt.is_target.end(),
            std::uint8_t{1});
  return prompt;
}

}  // namespace tarsier
