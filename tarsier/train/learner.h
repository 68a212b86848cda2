#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tarsier/models/trainable_adapter.h"
#include "tarsier/models/video_language_model.h"
#include "tarsier/train/batch.h"
#include "tarsier/train/media_cache.h"
#include "tarsier/train/objectives/event_probe.h"
#include "tarsier/train/optimizer/optimizer.h"
#include "tarsier/train/optimizer/owners.h"
#include "tarsier/train/preference/reference.h"
#include "tarsier/train/recipe.h"
#include "tarsier/train/step_flops.h"
#include "tarsier/train/step_losses.h"

namespace tarsier {

/// What one micro-batch teaches: a gradient for each of the optimizer's parameters, in their order.
struct Lesson {
  StepLosses losses;
  std::vector<Tensor> gradients;
  double flops = 0;  // the model's arithmetic (step_flops.h)
  MetPairs met;      // for remember()
};

/// The model in training: its weights, what exists during training only, and the optimizer over
/// both.
class Learner {
 public:
  /// An adapter that learns, and patterns (optimizer/groups.h) of the weights that do so beside it.
  struct AdapterPart {
    std::shared_ptr<const TrainableAdapter> adapter;
    std::vector<std::string> beside;
  };

  /// `word_tokens` are the visual-words list; empty without one. Logits exist for `logit_chunk`
  /// rows at a time. `place` says which rank's part of the optimizer's state this is. With an
  /// adapter the optimizer holds its weights (PATH.lora_A.weight, PATH.lora_B.weight) and those
  /// beside it alone: the rest is frozen, and has neither moments nor a place in checkpoints.
  Learner(std::shared_ptr<VideoLanguageModel> model, std::vector<std::int64_t> word_tokens,
          std::int64_t logit_chunk = 2048, RankPlace place = {}, const AdapterPart& part = {});

  /// Lets the weights learn that stage.train names and stage.freeze does not, each at the rate and
  /// decay of its group. ConfigError when a pattern names no weight, or all are frozen.
  void begin_stage(const Stage& stage);
  /// What stages of preference training measure rewards from; before the first of them.
  void set_reference(std::shared_ptr<Reference> reference) { reference_ = std::move(reference); }
  /// After a step, of each lesson in the order of micro-batches.
  void remember(const MetPairs& met) {
    if (reference_) reference_->remember(met);
  }
  void flush_reference() {
    if (reference_) reference_->flush();
  }
  /// Keeps the tokens of towers that do not learn in so many bytes; of a stage whose towers do
  /// nothing is kept.
  void keep_media(std::int64_t bytes) { media_cache_ = std::make_shared<MediaCache>(bytes); }
  const MediaCache* media_cache() const { return media_cache_.get(); }
  /// Forward and backward of one micro-batch. `step_weight` is the sum of target weights over all
  /// micro-batches of the step, in preference training the number of its samples; `share` this
  /// one's part of the micro-batches; `mean_reward` of the pairs before this step, where a loss
  /// tracks it; `dropout_key` tells the dropouts of steps apart, the ids of the batch's samples
  /// those of one step. Any number of threads at a time, while the weights stay as they are.
  Lesson learn(const Batch& batch, const Stage& stage, double step_weight, double share,
               double mean_reward = 0, std::uint64_t dropout_key = 0) const;

  VideoLanguageModel& model() { return *model_; }
  Optimizer& optimizer() { return optimizer_; }
  const Optimizer& optimizer() const { return optimizer_; }

 private:
  std::vector<std::pair<std::string, Tensor>> learnable(const AdapterPart& part, bool probes);

  std::shared_ptr<VideoLanguageModel> model_;
  std::int64_t logit_chunk_;
  Tensor head_;         // [vocab, hidden]; the embedding where they are tied
  Tensor word_tokens_;  // i64 [words]
  Tensor word_bias_;    // f32 [words]
  Linear probe_, cell_probe_;
  std::vector<Tensor> weights_;  // of the optimizer's parameters
  Optimizer optimizer_;
  PassCounts passes_;  // of the stage
  std::shared_ptr<Reference> reference_;
  std::shared_ptr<MediaCache> media_cache_;
  bool towers_learn_ = true;  // in this stage
  double dropout_ = 0;        // of the adapter
};

}  // namespace tarsier
