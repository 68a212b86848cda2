#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tarsier/models/video_language_model.h"
#include "tarsier/train/batch.h"
#include "tarsier/train/preference/reference_cache.h"

namespace tarsier {

/// Pairs that were computed for the first time, by their keys.
using MetPairs = std::vector<std::pair<std::string, AnswerLogProbs>>;

/// The frozen policy that preference training measures rewards from. A pair's log-probabilities are
/// computed when it is first met, in the micro-batch that the policy learns from and by the same
/// operations: before the first update the two agree to the bit. Then they are read from a file
/// (training.md 12), but for every hundredth micro-batch, which is computed again and compared.
/// Any number of threads.
class Reference {
 public:
  /// Whether its weights are its own, or those of the policy without an adapter (nn/lora.h), which
  /// is then all that learns.
  enum class Weights { own, of_policy };

  /// They must never change. `policy` names weights and compute; errors as ReferenceCache's.
  Reference(std::shared_ptr<VideoLanguageModel> model, Weights weights,
            const std::filesystem::path& file, const std::string& policy, std::int64_t logit_chunk);

  /// For each sample of a batch that is on the model's device; zeros for one that is no pair. Those
  /// that were not known are added to `met`. CheckpointError when a pair that is computed again has
  /// moved by more than 0.05 nats. `media` are the policy's media tokens, where its towers do not
  /// learn and are these weights' too; undefined: it encodes for itself.
  std::vector<AnswerLogProbs> log_probs(const Batch& batch, MetPairs& met,
                                        const Tensor& media = {}) const;
  /// From now on they are known. Called in the order of a step's micro-batches when all are done:
  /// what a step knows must not depend on how many workers it has.
  void remember(const MetPairs& met);
  void flush() { cache_.flush(); }

 private:
  std::vector<AnswerLogProbs> compute(const Batch& batch, Tensor media) const;

  std::shared_ptr<VideoLanguageModel> model_;
  Weights weights_;
  Tensor head_;
  ReferenceCache cache_;
  std::int64_t logit_chunk_;
};

/// log p of each target of a batch, f64, read by a head off the residual stream [tokens, hidden].
std::vector<double> target_log_probs(const Tensor& residual, const Tensor& head, const Batch& batch,
                                     std::int64_t logit_chunk);

}  // namespace tarsier
