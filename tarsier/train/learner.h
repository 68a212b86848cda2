#pragma once

#include <memory>
#include <vector>

#include "tarsier/models/video_language_model.h"
#include "tarsier/train/batch.h"
#include "tarsier/train/objectives/event_probe.h"
#include "tarsier/train/optimizer/optimizer.h"
#include "tarsier/train/optimizer/owners.h"
#include "tarsier/train/recipe.h"

namespace tarsier {

/// Losses of one micro-batch or, added up, of one step. Sums of doubles and nothing else: ranks add
/// them up member by member.
struct StepLosses {
  double total = 0, next_token = 0, accuracy = 0, visual_words = 0, event_probe = 0,
         event_cells = 0;
  void add(const StepLosses& other);
};

/// What one micro-batch teaches: a gradient for each of the optimizer's parameters, in their order.
struct Lesson {
  StepLosses losses;
  std::vector<Tensor> gradients;
};

/// The model in training: its weights, what exists during training only, and the optimizer over
/// both.
class Learner {
 public:
  /// `word_tokens` are the visual-words list; empty without one. Logits exist for `logit_chunk`
  /// rows at a time. `place` says which rank's part of the optimizer's state this is.
  Learner(std::shared_ptr<VideoLanguageModel> model, std::vector<std::int64_t> word_tokens,
          std::int64_t logit_chunk = 2048, RankPlace place = {});

  /// Lets exactly the weights whose path starts with one of stage.train learn, each at the rate and
  /// decay of its group. ConfigError when the prefixes or a group name no weight.
  void begin_stage(const Stage& stage);
  /// Forward and backward of one micro-batch. `step_weight` is the sum of target weights over all
  /// micro-batches of the step, `share` this one's part of them. Any number of threads at a time,
  /// while the weights stay as they are.
  Lesson learn(const Batch& batch, const Stage& stage, double step_weight, double share) const;

  VideoLanguageModel& model() { return *model_; }
  Optimizer& optimizer() { return optimizer_; }

 private:
  std::shared_ptr<VideoLanguageModel> model_;
  std::int64_t logit_chunk_;
  Tensor head_;         // [vocab, hidden]; the embedding where they are tied
  Tensor word_tokens_;  // i64 [words]
  Tensor word_bias_;    // f32 [words]
  Linear probe_, cell_probe_;
  std::vector<Tensor> weights_;  // of the optimizer's parameters
  Optimizer optimizer_;
};

}  // namespace tarsier
