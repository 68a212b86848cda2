#include "tarsier/train/step.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace tarsier {
namespace {

// Gradients are summed in the order of micro-batches: how many workers there are changes nothing.
StepLosses learn_all(Learner& learner, Workers& workers, const StepData& data,
                     const StepTotals& totals, const Stage& stage) {
  const auto count = static_cast<std::int64_t>(data.micro_batches.size());
  const double share = 1.0 / static_cast<double>(totals.micro_batches);
  StepLosses losses;
  for (std::int64_t first = 0; first < count; first += workers.count()) {
    std::vector<Lesson> lessons(static_cast<std::size_t>(std::min(workers.count(), count - first)));
    workers.run(static_cast<std::int64_t>(lessons.size()), [&](std::int64_t i) {
      lessons[static_cast<std::size_t>(i)] =
          learner.learn(data.micro_batches[static_cast<std::size_t>(first + i)], stage,
                        totals.target_weight, share);
    });
    for (Lesson& lesson : lessons) {
      losses.add(lesson.losses);
      learner.optimizer().add_gradients(lesson.gradients);
      lesson = {};
    }
  }
  return losses;
}

}  // namespace

StepReport take_step(Learner& learner, Workers& workers, Communicator& world, const StepData& data,
                     const StepTotals& totals, const Stage& stage, std::int64_t step_in_stage) {
  StepReport report;
  const auto begin = std::chrono::steady_clock::now();
  report.losses = total(world, learn_all(learner, workers, data, totals, stage));
  report.clips = totals.clips;
  report.tokens = totals.tokens;
  report.waited = totals.waited;
  Optimizer& optimizer = learner.optimizer();
  const std::vector<bool> learned = sum_gradients(world, optimizer);
  report.gradient_norm = gradient_norm(world, optimizer);
  report.rate = learning_rate(
      {stage.schedule, stage.steps, stage.warmup_steps, stage.peak_rate, stage.final_share},
      step_in_stage);
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
