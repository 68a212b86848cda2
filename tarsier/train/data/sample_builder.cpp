#include "tarsier/train/data/sample_builder.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/sha256.h"
#include "tarsier/text/tokenizer.h"

namespace tarsier {
namespace {

TokenRun cut(const Prompt& prompt, std::int64_t begin, std::int64_t end) {
  TokenRun run;
  const Tensor positions =
      prompt.positions.size(0) == 3 ? prompt.positions : prompt.positions.expand({3, -1});
  const Tensor part = positions.slice(1, begin, end).contiguous();
  run.positions.assign(part.const_data_ptr<std::int64_t>(),
                       part.const_data_ptr<std::int64_t>() + part.numel());
  for (std::int64_t i = begin; i < end; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const bool target = prompt.is_target[at] != 0;
    run.tokens.push_back(prompt.tokens[at]);
    run.labels.push_back(target ? prompt.tokens[at] : -1);
    run.weights.push_back(target ? 1.0f : 0.0f);
  }
  return run;
}

// Where the media block closes: behind the closing token that follows the last span (and its
// marker, if there is one), or behind the span in families that have no such token; 0 where there
// is no medium.
std::int64_t end_of_block(const VideoLanguageModel& model, const Prompt& prompt) {
  const std::int64_t end = end_of_media(prompt);
  const std::optional<std::int64_t> closing_token = model.tokenizer().id_of("<|vision_end|>");
  if (end == 0 || !closing_token) return end;
  const auto closing = std::find(prompt.tokens.begin() + end, prompt.tokens.end(), *closing_token);
  return closing == prompt.tokens.end() ? end : closing - prompt.tokens.begin() + 1;
}

bool begins_with(const std::vector<std::int64_t>& tokens,
                 const std::vector<std::int64_t>& opening) {
  return tokens.size() >= opening.size() &&
         std::equal(opening.begin(), opening.end(), tokens.begin());
}

// The last token of the text between one frame's span and the next: the frame's marker.
std::vector<std::int64_t> marker_rows(const Prompt& prompt, std::int64_t media_end) {
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < prompt.spans.size(); ++i) {
    const std::int64_t end = prompt.spans[i].begin + prompt.spans[i].length;
    const std::int64_t next =
        i + 1 < prompt.spans.size() ? prompt.spans[i + 1].begin : media_end - 1;
    if (next > end) rows.push_back(next - 1);
  }
  return rows;
}

// The shared part of a sample, up to token `split` of its prompt.
void fill_prefix(const ModelInputs& inputs, std::int64_t split, Sample& sample) {
  const Prompt& prompt = inputs.prompt;
  sample.media = inputs.media;
  sample.prefix = cut(prompt, 0, split);
  sample.marker_rows = marker_rows(prompt, split);
  for (const MediaSpan& span : prompt.spans) {
    for (std::int64_t i = 0; i < span.length; ++i) sample.media_rows.push_back(span.begin + i);
  }
}

}  // namespace

Sample build_sample(const VideoLanguageModel& model, std::shared_ptr<const Pictures> pictures,
                    std::span<const Exchange> exchanges, std::string id) {
  std::vector<Conversation> conversations;
  for (const Exchange& exchange : exchanges) {
    if (exchange.answer.empty())
      throw InputError({id, "has an empty answer", "remove the row or give it an answer"});
    conversations.push_back({{"user", {Part{"", pictures}, Part{exchange.question, nullptr}}},
                             {"assistant", {Part{exchange.answer, nullptr}}}});
  }
  return build_siblings(model, conversations, std::move(id));
}

namespace {

// Where a sample's shared part ends, by the first of its prompts.
using SplitRule = std::int64_t (*)(const VideoLanguageModel& model, const Prompt& prompt);

Sample build_branches(const VideoLanguageModel& model, std::span<const Conversation> conversations,
                      std::string id, SplitRule split_of) {
  check(!conversations.empty(), "a sample has a conversation");
  Sample sample;
  sample.id = std::move(id);
  std::int64_t split = 0;
  for (const Conversation& conversation : conversations) {
    // Pixels are made once; later exchanges need tokens alone.
    const bool first = sample.branches.empty();
    const ModelInputs inputs = model.prepare(
        conversation, first ? PromptPurpose::train : PromptPurpose::train_without_pixels);
    const Prompt& prompt = inputs.prompt;
    if (first) {
      split = split_of(model, prompt);
      fill_prefix(inputs, split, sample);
    }
    const auto tokens = static_cast<std::int64_t>(prompt.tokens.size());
    if (tokens <= split || !begins_with(prompt.tokens, sample.prefix.tokens)) {
      throw InputError({sample.id, "an exchange changes the tokens of the shared video",
                        "give exchanges about one video the same opening"});
    }
    sample.branches.push_back(cut(prompt, split, tokens));
  }
  return sample;
}

std::int64_t begin_of_answer(const VideoLanguageModel& /*model*/, const Prompt& prompt) {
  const auto first = std::find(prompt.is_target.begin(), prompt.is_target.end(), std::uint8_t{1});
  check(first != prompt.is_target.end(), "a prompt to learn from has an answer");
  return first - prompt.is_target.begin();
}

void add_bytes(Sha256& hash, const void* data, std::size_t bytes) {
  hash.update({static_cast<const std::byte*>(data), bytes});
}

// Nothing of a tensor that is not there.
void add_values(Sha256& hash, const Tensor& tensor) {
  if (!tensor.defined()) return;
  const Tensor values = tensor.contiguous();
  add_bytes(hash, values.const_data_ptr(), values.nbytes());
}

// Numbers with their count before them, so that no two lists run together alike.
void add_numbers(Sha256& hash, const std::vector<std::int64_t>& numbers) {
  const auto count = static_cast<std::int64_t>(numbers.size());
  add_bytes(hash, &count, sizeof count);
  add_bytes(hash, numbers.data(), numbers.size() * sizeof numbers[0]);
}

std::string key_of(const Sample& sample) {
  Sha256 hash;
  const std::int64_t grid_values = sample.media.grid.defined() ? sample.media.grid.numel() : 0;
  add_bytes(hash, &grid_values, sizeof grid_values);
  add_values(hash, sample.media.grid);
  add_values(hash, sample.media.pixels);
  add_values(hash, sample.media.mel);
  add_numbers(hash, sample.prefix.tokens);
  add_numbers(hash, sample.branches[0].tokens);
  add_numbers(hash, sample.branches[1].tokens);
  return hash.finish_hex();
}

}  // namespace

Sample build_siblings(const VideoLanguageModel& model, std::span<const Conversation> conversations,
                      std::string id) {
  return build_branches(model, conversations, std::move(id), end_of_block);
}

Sample build_pair(const VideoLanguageModel& model, std::span<const Conversation> conversations,
                  std::string id) {
  check(conversations.size() == 2 || conversations.size() == 3,
        "a pair has two answers, and perhaps the truth");
  Sample sample = build_branches(model, conversations, std::move(id), begin_of_answer);
  sample.pair = SamplePair{key_of(sample), std::nullopt};
  return sample;
}

Sample build_conversation(const VideoLanguageModel& model, const Conversation& conversation,
                          const std::vector<bool>& context, std::string id) {
  check(!conversation.empty() && context.size() == conversation.size(),
        "each message is context or not");
  Sample sample;
  sample.id = std::move(id);
  ModelInputs inputs = model.prepare(conversation, PromptPurpose::train);
  Prompt& prompt = inputs.prompt;
  if (context.back()) std::fill(prompt.is_target.begin(), prompt.is_target.end(), std::uint8_t{0});
  // An earlier answer stands where it does when the conversation ends with it.
  for (std::size_t i = 0; i + 1 < conversation.size(); ++i) {
    if (conversation[i].role != "assistant" || context[i]) continue;
    const Conversation until(conversation.begin(),
                             conversation.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    const Prompt part = model.prepare(until, PromptPurpose::train_without_pixels).prompt;
    if (!begins_with(prompt.tokens, part.tokens)) {
      throw InputError({sample.id, "an earlier turn reads otherwise when others follow it",
                        "give each question a row of its own"});
    }
    for (std::size_t at = 0; at < part.tokens.size(); ++at)
      prompt.is_target[at] |= part.is_target[at];
  }
  const auto& targets = prompt.is_target;
  if (std::find(targets.begin(), targets.end(), std::uint8_t{1}) == targets.end())
    throw InputError({sample.id, "has no answer to learn", "remove the row"});
  const std::int64_t split = end_of_block(model, prompt);
  fill_prefix(inputs, split, sample);
  sample.branches.push_back(cut(prompt, split, static_cast<std::int64_t>(prompt.tokens.size())));
  return sample;
}

}  // namespace tarsier
