#include "tarsier/train/objectives/event_probe.h"

#include <ATen/ATen.h>

#include <initializer_list>

namespace tarsier {
namespace {

// About one cell in ten has an event in it.
constexpr double kEventCellWeight = 5;

// The mean cross-entropy of one linear reading for each entry of `sizes`, its choices; choice 0
// weighs 1, the others `event_weight`.
Tensor mean_reading_loss(const Linear& probe, const Tensor& hidden, const Tensor& labels,
                         std::initializer_list<std::int64_t> sizes, double event_weight) {
  const std::vector<Tensor> logits = probe(hidden.to(at::kFloat)).split_with_sizes(sizes, -1);
  Tensor sum;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    Tensor weights = at::full({logits[i].size(1)}, event_weight, logits[i].options());
    weights[0] = 1;
    const Tensor loss =
        at::cross_entropy_loss(logits[i], labels.select(1, static_cast<std::int64_t>(i)), weights,
                               at::Reduction::Mean, /*ignore_index=*/-1);
    sum = sum.defined() ? sum + loss : loss;
  }
  return sum / static_cast<double>(logits.size());
}

}  // namespace

Tensor event_probe_loss(const Linear& probe, const Tensor& hidden, const Tensor& labels) {
  return mean_reading_loss(probe, hidden, labels,
                           {kProbeKinds, kProbeDirections, kProbeColours, kProbeShapes}, 1);
}

Tensor event_cells_loss(const Linear& probe, const Tensor& hidden, const Tensor& labels) {
  return mean_reading_loss(probe, hidden, labels, {kProbeKinds, kProbeDirections},
                           kEventCellWeight);
}

}  // namespace tarsier
