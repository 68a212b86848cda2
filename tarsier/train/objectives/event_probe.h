#pragma once

#include "tarsier/nn/linear.h"

namespace tarsier {

inline constexpr std::int64_t kProbeKinds = 11, kProbeDirections = 5, kProbeColours = 8,
                              kProbeShapes = 7;
inline constexpr std::int64_t kProbeOutputs =
    kProbeKinds + kProbeDirections + kProbeColours + kProbeShapes;

/// Reads off the residual stream at each frame's marker what happens there: the mean of four
/// cross-entropies (event kind, direction, the actor's colour and shape). hidden [markers, hidden],
/// labels i64 [markers, 4] with 0 for "nothing". The probe exists during training only.
Tensor event_probe_loss(const Linear& probe, const Tensor& hidden, const Tensor& labels);

}  // namespace tarsier
