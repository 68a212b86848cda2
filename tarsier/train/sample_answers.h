#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "tarsier/models/video_language_model.h"
#include "tarsier/train/data/source.h"

namespace tarsier {

/// What the model in training says about a clip it does not learn from, beside the truth.
struct SampleAnswer {
  std::string id, prompt, truth, answer;
  bool cut = false;  // the answer was longer than it was let
};

/// A few fixed clips with their questions, asked again and again while a model learns. Asking
/// changes nothing of the training: a test holds a run with samples equal to one without.
class SampleAnswers {
 public:
  /// Takes the first `clips` samples of the source, at most four questions each. A sample that
  /// cannot be used is named in a warning and left out. `model` must outlive it.
  SampleAnswers(const VideoLanguageModel& model, const SampleSource& source, std::int64_t clips);

  /// Greedy answers, of up to twice the tokens of the truth; none when asked to stop.
  /// CheckpointError when the weights give logits that are not numbers.
  std::vector<SampleAnswer> ask(std::stop_token stop) const;

 private:
  struct Question {
    Prompt prompt;  // up to where the answer begins
    std::string text, truth;
    std::int64_t max_new_tokens;
  };
  struct Clip {
    std::string id;
    MediaInputs media;
    std::vector<Question> questions;
  };
  Clip clip_of(const Sample& sample) const;

  const VideoLanguageModel& model_;
  std::vector<Clip> clips_;
};

}  // namespace tarsier
