#include "tarsier/train/objectives/event_probe.h"

#include <ATen/ATen.h>

namespace tarsier {

Tensor event_probe_loss(const Linear& probe, const Tensor& hidden, const Tensor& labels) {
  const std::vector<Tensor> logits =
      probe(hidden.to(at::kFloat))
          .split_with_sizes({kProbeKinds, kProbeDirections, kProbeColours, kProbeShapes}, -1);
  Tensor sum;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const Tensor loss =
        at::cross_entropy_loss(logits[i], labels.select(1, static_cast<std::int64_t>(i)));
    sum = sum.defined() ? sum + loss : loss;
  }
  return sum / 4;
}

}  // namespace tarsier
