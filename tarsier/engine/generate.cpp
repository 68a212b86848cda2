#include "tarsier/engine/generate.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "tarsier/base/error.h"
#include "tarsier/engine/held_slots.h"

namespace tarsier {
namespace {

std::int64_t length_of(const Prompt& prompt) {
  return static_cast<std::int64_t>(prompt.tokens.size());
}

/// Tokens that all prompts begin with, media included, leaving each at least one of its own; 0 when
/// that is not all media.
std::int64_t shared_length(const std::vector<Branch>& branches) {
  if (branches.size() < 2) return 0;
  const Prompt& first = branches.front().prompt;
  std::int64_t shared = length_of(first) - 1;
  for (const Branch& branch : branches) {
    const auto& [a, b] = std::tie(first.tokens, branch.prompt.tokens);
    const auto differ = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    shared = std::min({shared, static_cast<std::int64_t>(differ.first - a.begin()),
                       length_of(branch.prompt) - 1});
    if (branch.prompt.positions.size(0) != first.positions.size(0)) return 0;
  }
  for (const Branch& branch : branches) {
    if (end_of_media(branch.prompt) > shared || branch.prompt.spans.size() != first.spans.size())
      return 0;
    if (!at::equal(branch.prompt.positions.slice(1, 0, shared),
                   first.positions.slice(1, 0, shared)))
      return 0;
  }
  return shared;
}

Prompt beginning_of(const Prompt& prompt, std::int64_t length) {
  Prompt beginning;
  beginning.tokens.assign(prompt.tokens.begin(), prompt.tokens.begin() + length);
  beginning.spans = prompt.spans;
  beginning.positions = prompt.positions.slice(1, 0, length);
  return beginning;
}

struct Running {
  std::size_t branch;
  Slot slot;
  std::unique_ptr<Answer> answer;
};

std::span<const float> row_of(const Tensor& logits, std::int64_t row) {
  const auto width = static_cast<std::size_t>(logits.size(1));
  return {logits.const_data_ptr<float>() + static_cast<std::size_t>(row) * width, width};
}

Tensor on_cpu(const Tensor& logits) { return logits.to(at::kCPU).contiguous(); }

}  // namespace

std::int64_t new_token_limit(const ModelInfo& info, std::int64_t prompt_tokens,
                             const SamplingParams& sampling) {
  if (info.max_tokens <= 0) return sampling.max_new_tokens.value_or(kDefaultNewTokens);
  const std::int64_t left = info.max_tokens - prompt_tokens;
  if (left < 1) {
    throw InputError({"prompt",
                      fmt::format("is {} tokens, {} takes {} with the answer", prompt_tokens,
                                  info.name, info.max_tokens),
                      "use fewer frames, fewer pixels or a shorter question"});
  }
  if (sampling.max_new_tokens && *sampling.max_new_tokens > left) {
    throw ConfigError(
        {"--max-new-tokens",
         fmt::format("{} do not fit: the prompt is {} tokens and {} takes {} in all",
                     *sampling.max_new_tokens, prompt_tokens, info.name, info.max_tokens),
         fmt::format("at most {} here", left)});
  }
  return sampling.max_new_tokens.value_or(std::min(kDefaultNewTokens, left));
}

Completion generate(const VideoLanguageModel& model, DecodeBackend& backend,
                    const ModelInputs& inputs, const SamplingParams& sampling, const TextSink& sink,
                    std::stop_token stop) {
  return std::move(generate_branches(model, backend, inputs.media,
                                     {{inputs.prompt, sampling, sink}}, std::move(stop))
                       .front());
}

std::vector<Completion> generate_branches(const VideoLanguageModel& model, DecodeBackend& backend,
                                          const MediaInputs& media,
                                          const std::vector<Branch>& branches,
                                          std::stop_token stop) {
  for (const Branch& branch : branches) {  // before the costly part
    check_sampling(branch.sampling);
    new_token_limit(model.info(), length_of(branch.prompt), branch.sampling);
  }
  const Tensor media_tokens = !media.empty() && !branches.empty() ? model.encode(media) : Tensor();
  return generate_branches(model, backend, media_tokens, branches, std::move(stop));
}

std::vector<Completion> generate_branches(const VideoLanguageModel& model, DecodeBackend& backend,
                                          const Tensor& media_tokens,
                                          const std::vector<Branch>& branches,
                                          std::stop_token stop) {
  std::vector<Completion> completions(branches.size());
  HeldSlots slots(backend);
  const std::int64_t shared = shared_length(branches);
  const Slot prefix =
      shared > 0
          ? slots.add(
                backend.admit(beginning_of(branches.front().prompt, shared), media_tokens, 0).slot)
          : Slot{-1};

  std::vector<Running> running;
  const auto keep_unfinished = [&] {
    std::erase_if(running, [&](Running& each) {
      if (!each.answer->finished()) return false;
      completions[each.branch] = each.answer->take();
      slots.release(each.slot);
      return true;
    });
  };
  for (std::size_t next = 0; next < branches.size();) {
    // Start as many as there is room for; the first one regardless, so that what cannot be held is
    // an error.
    std::vector<SlotPrompt> rest;
    for (; next < branches.size(); ++next) {
      const auto& [prompt, sampling, sink] = branches[next];
      const std::int64_t limit = new_token_limit(model.info(), length_of(prompt), sampling);
      const std::int64_t capacity = length_of(prompt) + limit;
      if (!running.empty() && !backend.has_room_for(capacity)) break;
      running.push_back({next, 0,
                         std::make_unique<Answer>(model.tokenizer(), model.generation(), sampling,
                                                  limit, prompt.tokens, sink)});
      if (shared > 0) {
        running.back().slot = slots.add(backend.fork(prefix, capacity - shared));
        rest.push_back({running.back().slot, &prompt});
      } else {
        const Admission admission = backend.admit(prompt, media_tokens, limit);
        running.back().slot = slots.add(admission.slot);
        running.back().answer->push(row_of(on_cpu(admission.logits.unsqueeze(0)), 0));
      }
    }
    if (!rest.empty()) {
      const Tensor logits = on_cpu(backend.extend(rest));
      for (std::size_t i = 0; i < rest.size(); ++i)
        running[i].answer->push(row_of(logits, static_cast<std::int64_t>(i)));
    }
    keep_unfinished();

    std::vector<SlotToken> tokens;
    while (!running.empty()) {
      if (stop.stop_requested()) {
        for (const Running& each : running) each.answer->cancel();
      } else {
        tokens.clear();
        for (const Running& each : running)
          tokens.push_back({each.slot, each.answer->last_token()});
        const Tensor logits = on_cpu(backend.step(tokens));
        for (std::size_t i = 0; i < running.size(); ++i)
          running[i].answer->push(row_of(logits, static_cast<std::int64_t>(i)));
      }
      keep_unfinished();
    }
  }
  return completions;
}

}  // namespace tarsier
