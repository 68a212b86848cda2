#pragma once

#include <stop_token>
#include <vector>

#include "tarsier/engine/answer.h"
#include "tarsier/engine/decode_backend.h"
#include "tarsier/models/video_language_model.h"

namespace tarsier {

/// Answers one prompt, start to finish: encode, admit, then sample, say, step until something ends
/// it. `stop` is looked at between tokens. The caller has switched gradients off. InputError when
/// the prompt is longer than the model takes; ConfigError when the new tokens asked for do not fit
/// behind it.
Completion generate(const VideoLanguageModel& model, DecodeBackend& backend,
                    const ModelInputs& inputs, const SamplingParams& sampling,
                    const TextSink& sink = {}, std::stop_token stop = {});

/// One of several prompts about the same media.
struct Branch {
  Prompt prompt;
  SamplingParams sampling;
  TextSink sink;
};

/// Answers several prompts about the same media: it is encoded once, what the prompts share at
/// their beginning runs once, and the answers grow as one batch (in turns where they do not all
/// fit). Completions in the order of the branches.
std::vector<Completion> generate_branches(const VideoLanguageModel& model, DecodeBackend& backend,
                                          const MediaInputs& media,
                                          const std::vector<Branch>& branches,
                                          std::stop_token stop = {});

/// The same with media tokens [media_tokens, hidden] that are there already (undefined: none).
std::vector<Completion> generate_branches(const VideoLanguageModel& model, DecodeBackend& backend,
                                          const Tensor& media_tokens,
                                          const std::vector<Branch>& branches,
                                          std::stop_token stop = {});

/// How many tokens an answer may have. Errors as generate().
std::int64_t new_token_limit(const ModelInfo& info, std::int64_t prompt_tokens,
                             const SamplingParams& sampling);

}  // namespace tarsier
