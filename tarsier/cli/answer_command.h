#pragma once

#include <chrono>
#include <optional>

#include "tarsier/cli/clip.h"
#include "tarsier/cli/command_line.h"
#include "tarsier/cli/model_session.h"
#include "tarsier/engine/sampling.h"

namespace tarsier {

/// What every command that answers about media takes.
struct AnswerFlags {
  OutputFlags output;
  ModelFlags model;
  ClipFlags clip;
  SamplingParams sampling;
  std::optional<std::int64_t> max_pixels;
  bool tokens = false;
};

void add_answer_flags(CLI::App& app, AnswerFlags& flags);
/// ConfigError for values that do not go together.
void check_answer_flags(const AnswerFlags& flags);

/// What comes before the answer: the contact sheet if it was asked for, and on stderr what the
/// model saw and that a small model knows its own world only.
void announce_clip(const AnswerFlags& flags, const MediaClip& clip, const SeenMedia& seen,
                   const ModelInfo& model, Notice& notice);

/// Seconds since it was made, with milliseconds.
class Stopwatch {
 public:
  double seconds() const;

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace tarsier
