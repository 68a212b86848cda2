#pragma once

#include <span>
#include <vector>

#include "tarsier/train/batch.h"
#include "tarsier/train/preference/objective.h"
#include "tarsier/train/preference/pair_report.h"

namespace tarsier {

/// The objective of a micro-batch, as what it is by the log-probabilities of its targets.
struct WeighedPairs {
  double loss = 0;             // this micro-batch's part of the step's
  std::vector<float> weights;  // [targets]: minus the loss's derivative by each log-probability
  PairReport report;
};

/// `log_probs` [targets] of the policy, `reference` [samples] (of samples that are no pairs
/// unused), `step_samples` of the whole step. The gradient of sum(weights * -log p) is that of the
/// objective (training.md 12): so the pass over the logits that fine-tuning makes serves here too.
WeighedPairs weigh_pairs(const Batch& batch, std::span<const double> log_probs,
                         std::span<const AnswerLogProbs> reference,
                         const PreferenceObjective& objective, double step_samples,
                         double mean_reward);

}  // namespace tarsier
