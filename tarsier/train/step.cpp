#include "tarsier/train/step.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>

namespace tarsier {
namespace {

// Gradients are summed in the order of micro-batches: how many workers there are changes nothing.
StepLosses learn_all(Learner& learner, Workers& workers, const StepData& data,
                     const StepTotals& totals, const Stage& stage, double mean_reward,
                     std::uint64_t dropout_key, double& flops) {
  const auto count = static_cast<std::int64_t>(data.micro_batches.size());
  const double share = 1.0 / static_cast<double>(totals.micro_batches);
  const double weight = stage.preference ? static_cast<double>(totals.clips) : totals.target_weight;
  StepLosses losses;
  MetPairs met;
  for (std::int64_t first = 0; first < count; first += workers.count()) {
    std::vector<Lesson> lessons(static_cast<std::size_t>(std::min(workers.count(), count - first)));
    workers.run(static_cast<std::int64_t>(lessons.size()), [&](std::int64_t i) {
      lessons[static_cast<std::size_t>(i)] =
          learner.learn(data.micro_batches[static_cast<std::size_t>(first + i)], stage, weight,
                        share, mean_reward, dropout_key);
    });
    for (Lesson& lesson : lessons) {
      losses.add(lesson.losses);
      std::move(lesson.met.begin(), lesson.met.end(), std::back_inserter(met));
      flops += lesson.flops;
      learner.optimizer().add_gradients(lesson.gradients);
      lesson = {};
    }
  }
  learner.remember(met);
  return losses;
}

// The groups of the weights that learn, in the order of their first weights.
std::vector<GroupReport> groups_of(const Optimizer& optimizer, const std::vector<double>& norms,
                                   double rate) {
  std::vector<GroupReport> groups;
  for (std::size_t i = 0; i < norms.size(); ++i) {
    const Optimizer::Parameter& parameter = optimizer.parameters()[i];
    if (!parameter.weight.requires_grad()) continue;
    auto found = std::find_if(groups.begin(), groups.end(), [&](const GroupReport& group) {
      return group.name == parameter.group;
    });
    if (found == groups.end()) found = groups.insert(found, {parameter.group, 0, 0});
    found->rate = std::max(found->rate, rate * parameter.rate);
    found->gradient_norm = std::hypot(found->gradient_norm, norms[i]);
  }
  return groups;
}

}  // namespace

StepReport take_step(Learner& learner, Workers& workers, Communicator& world, const StepData& data,
                     const StepTotals& totals, const Stage& stage, std::int64_t step_in_stage,
                     double mean_reward, std::uint64_t dropout_key) {
  StepReport report;
  const auto begin = std::chrono::steady_clock::now();
  double flops = 0;
  report.losses = total(
      world, learn_all(learner, workers, data, totals, stage, mean_reward, dropout_key, flops));
  report.flops = total(world, flops);
  report.clips = totals.clips;
  report.tokens = totals.tokens;
  report.media_tokens = totals.media_tokens;
  report.bad_samples = totals.bad;
  report.waited = totals.waited;
  Optimizer& optimizer = learner.optimizer();
  const std::vector<bool> learned = sum_gradients(world, optimizer);
  const std::vector<double> norms = gradient_norms(world, optimizer);
  report.gradient_norm = joint_norm(norms);
  report.rate = learning_rate(
      {stage.schedule, stage.steps, stage.warmup_steps, stage.peak_rate, stage.final_share},
      step_in_stage);
  report.groups = groups_of(optimizer, norms, report.rate);
  report.skipped = totals.micro_batches == 0 || !std::isfinite(report.losses.total) ||
                   !std::isfinite(report.gradient_norm);
  if (report.skipped) {
    optimizer.clear_gradients();
  } else {
    const double scale =
        report.gradient_norm > stage.clip_norm ? stage.clip_norm / report.gradient_norm : 1.0;
    optimizer.step({report.rate, stage.weight_decay, stage.beta1, stage.beta2, stage.epsilon,
                    stage.rule, stage.decay_vectors},
                   scale, workers);
    spread_weights(world, optimizer, learned);
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

}  // namespace tarsier
