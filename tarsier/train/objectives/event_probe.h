#pragma once

#include "tarsier/nn/linear.h"
#include "tarsier/synth/world.h"

namespace tarsier {

/// Choices of each reading: 0 for "nothing", then the world's values in their order.
inline constexpr std::int64_t kProbeKinds = kAllEventKinds + 1, kProbeDirections = 5,
                              kProbeColours = kColours + 1, kProbeShapes = kAllShapes + 1;
inline constexpr std::int64_t kProbeOutputs =
    kProbeKinds + kProbeDirections + kProbeColours + kProbeShapes;
inline constexpr std::int64_t kCellProbeOutputs = kProbeKinds + kProbeDirections;

/// Reads off the residual stream at each frame's marker what happens there: the mean of four
/// cross-entropies (event kind, direction, the actor's colour and shape). hidden [markers, hidden],
/// labels i64 [markers, 4] with 0 for "nothing". The probe exists during training only.
Tensor event_probe_loss(const Linear& probe, const Tensor& hidden, const Tensor& labels);

/// The same at each media token, for what happens in its cell: the mean of two cross-entropies
/// (kind, direction), in which the rare cells with an event weigh more. hidden [media_tokens,
/// hidden], labels i64 [media_tokens, 2].
Tensor event_cells_loss(const Linear& probe, const Tensor& hidden, const Tensor& labels);

}  // namespace tarsier
