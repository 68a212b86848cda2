#include "tarsier/engine/score_choices.h"

#include <ATen/ATen.h>

#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/engine/generate.h"
#include "tarsier/engine/held_slots.h"
#include "tarsier/text/tokenizer.h"

namespace tarsier {
namespace {

using Tokens = std::vector<std::int64_t>;

std::vector<Tokens> continuations_of(const VideoLanguageModel& model,
                                     std::span<const std::string> choices) {
  std::vector<Tokens> continuations;
  for (const std::string& choice : choices) {
    if (choice.empty()) throw ConfigError({"--choices", "has an empty one", "write A,B,C"});
    continuations.push_back(model.tokenizer().encode_as_text(choice));
    const Tokens& ends = model.generation().end_ids;
    if (!ends.empty()) continuations.back().push_back(ends.front());
  }
  return continuations;
}

/// log softmax(logits)[token] of each row.
Tensor log_probabilities(const Tensor& logits) {
  return at::log_softmax(logits.to(at::kCPU, at::kDouble), -1).contiguous();
}

}  // namespace

std::vector<ChoiceScore> score_choices(const VideoLanguageModel& model, DecodeBackend& backend,
                                       const Prompt& prompt, const Tensor& media_tokens,
                                       std::span<const std::string> choices) {
  const std::vector<Tokens> continuations = continuations_of(model, choices);
  for (const Tokens& tokens : continuations) {
    SamplingParams length;
    length.max_new_tokens = std::ssize(tokens);
    new_token_limit(model.info(), std::ssize(prompt.tokens), length);
  }
  HeldSlots slots(backend);
  const Admission admission = backend.admit(prompt, media_tokens, 0);
  const Slot prefix = slots.add(admission.slot);
  const Tensor first = log_probabilities(admission.logits);
  std::vector<ChoiceScore> scores;
  // One choice after the other: choices are few tokens, and so no more than one copy of the cache
  // is held.
  for (const Tokens& tokens : continuations) {
    ChoiceScore score{first[tokens[0]].item<double>(), std::ssize(tokens)};
    const Slot slot = slots.add(backend.fork(prefix, std::ssize(tokens)));
    for (std::size_t i = 1; i < tokens.size(); ++i) {
      const SlotToken next{slot, tokens[i - 1]};
      score.log_probability +=
          log_probabilities(backend.step({&next, 1}))[0][tokens[i]].item<double>();
    }
    slots.release(slot);
    scores.push_back(score);
  }
  return scores;
}

std::vector<double> choice_probabilities(std::span<const ChoiceScore> scores) {
  double best = -INFINITY, all = 0;
  for (const ChoiceScore& score : scores) best = std::max(best, score.log_probability);
  std::vector<double> shares;
  for (const ChoiceScore& score : scores) {
    shares.push_back(std::exp(score.log_probability - best));
    all += shares.back();
  }
  for (double& share : shares) share /= all;
  return shares;
}

}  // namespace tarsier
