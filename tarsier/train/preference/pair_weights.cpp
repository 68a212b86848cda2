#include "tarsier/train/preference/pair_weights.h"

#include <cmath>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

// Adds up the objective sample by sample.
class Weigher {
 public:
  Weigher(std::span<const double> log_probs, const PreferenceObjective& objective, double share,
          double mean_reward)
      : log_probs_(log_probs),
        objective_(objective),
        share_(share),
        mean_reward_(mean_reward),
        slopes_(log_probs.size(), 0.0) {}

  void add_pair(const BatchSample& sample, const AnswerLogProbs& reference) {
    const TargetRange& chosen = sample.branches.at(0);
    const TargetRange& rejected = sample.branches.at(1);
    const PairLogProbs pair{{sum_over(log_probs_, chosen), sum_over(log_probs_, rejected)},
                            reference,
                            chosen.size(),
                            rejected.size()};
    PairLoss sum;
    for (const auto& [kind, weight] : objective_.losses) {
      const PairLoss loss = preference_loss(kind, objective_.shape, pair, mean_reward_);
      sum.value += weight * loss.value;
      sum.by_chosen += weight * loss.by_chosen;
      sum.by_rejected += weight * loss.by_rejected;
    }
    loss_ += share_ * sum.value;
    add_slope(chosen, sum.by_chosen);
    add_slope(rejected, sum.by_rejected);
    add_mean(chosen, objective_.chosen_nll);
    PairReport& report = report_;
    if (objective_.truth_nll > 0)
      report.truth_nll += add_mean(sample.branches.at(2), objective_.truth_nll);
    const double beta = objective_.shape.beta;
    const double reward_chosen = beta * (pair.policy.chosen - reference.chosen);
    const double reward_rejected = beta * (pair.policy.rejected - reference.rejected);
    report.pairs += 1;
    report.loss += sum.value;
    report.reward_chosen += reward_chosen;
    report.reward_rejected += reward_rejected;
    report.accuracy += reward_chosen > reward_rejected   ? 1
                       : reward_chosen < reward_rejected ? 0
                                                         : 0.5;
    report.distance += std::abs(reward_chosen - reward_rejected);
    report.log_prob_chosen += pair.policy.chosen;
    report.log_prob_rejected += pair.policy.rejected;
    report.tokens_chosen += static_cast<double>(chosen.size());
    report.tokens_rejected += static_cast<double>(rejected.size());
  }

  // A sample that is fine-tuned.
  void add_answers(const BatchSample& sample) {
    const TargetRange all{sample.branches.front().begin, sample.branches.back().end};
    add_mean(all, 1);
  }

  WeighedPairs result() const {
    WeighedPairs result;
    result.loss = loss_;
    result.report = report_;
    for (const double slope : slopes_) result.weights.push_back(static_cast<float>(-slope));
    return result;
  }

 private:
  void add_slope(const TargetRange& range, double slope) {
    for (std::int64_t i = range.begin; i < range.end; ++i)
      slopes_[static_cast<std::size_t>(i)] += share_ * slope;
  }

  // `weight` times the mean of -log p; returns that mean.
  double add_mean(const TargetRange& range, double weight) {
    check(range.size() > 0, "an answer has a target");
    const auto count = static_cast<double>(range.size());
    const double mean = -sum_over(log_probs_, range) / count;
    loss_ += share_ * weight * mean;
    add_slope(range, -weight / count);
    return mean;
  }

  std::span<const double> log_probs_;
  const PreferenceObjective& objective_;
  double share_, mean_reward_, loss_ = 0;
  std::vector<double> slopes_;  // of the step's loss, by each log-probability
  PairReport report_;
};

}  // namespace

WeighedPairs weigh_pairs(const Batch& batch, std::span<const double> log_probs,
                         std::span<const AnswerLogProbs> reference,
                         const PreferenceObjective& objective, double step_samples,
                         double mean_reward) {
  check(reference.size() == batch.samples.size(), "each sample has its reference");
  check(static_cast<std::int64_t>(log_probs.size()) == batch.labels.numel(),
        "each target has its log-probability");
  Weigher weigher(log_probs, objective, 1 / step_samples, mean_reward);
  for (std::size_t i = 0; i < batch.samples.size(); ++i) {
    if (batch.samples[i].pair) {
      weigher.add_pair(batch.samples[i], reference[i]);
    } else {
      weigher.add_answers(batch.samples[i]);
    }
  }
  return weigher.result();
}

}  // namespace tarsier
