#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tarsier/engine/decode_backend.h"
#include "tarsier/models/video_language_model.h"

namespace tarsier {

struct ChoiceScore {
  double log_probability = 0;  // of the choice's tokens and the end of the answer behind them
  std::int64_t tokens = 0;     // that were scored
};

/// How likely the answer to `prompt` is to be exactly each of `choices`: natural logarithms, by the
/// model's own probabilities (no temperature, no penalty). The prompt runs once; media_tokens as
/// DecodeBackend::admit. The caller has switched gradients off. ConfigError for an empty choice,
/// InputError when prompt and choice are longer than the model takes.
std::vector<ChoiceScore> score_choices(const VideoLanguageModel& model, DecodeBackend& backend,
                                       const Prompt& prompt, const Tensor& media_tokens,
                                       std::span<const std::string> choices);

/// Shares of the choices among themselves: exp(log_probability), scaled to add up to 1.
std::vector<double> choice_probabilities(std::span<const ChoiceScore> scores);

}  // namespace tarsier
