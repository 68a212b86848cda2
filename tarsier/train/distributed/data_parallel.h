#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/train/distributed/communicator.h"
#include "tarsier/train/learner.h"
#include "tarsier/train/optimizer/optimizer.h"
#include "tarsier/train/prefetch.h"

namespace tarsier {

// How ranks train one model: each learns from its own micro-batches, gradients are summed to the
// rank that owns a parameter, and it spreads the new weight. With one rank every call here returns
// what it was given, to the bit. Every rank makes the same calls in the same order.

/// A step's data over all ranks, known before any of them learns from its part.
struct StepTotals {
  double target_weight = 0;  // of all targets
  double waited = 0;         // seconds, of the rank that waited longest for its data
  std::int64_t micro_batches = 0, bad = 0, clips = 0, tokens = 0;
};
StepTotals total(Communicator& world, const StepData& data, double waited);

StepLosses total(Communicator& world, const StepLosses& losses);

/// Whether it holds on any rank.
bool any(Communicator& world, bool holds);

/// Gives each parameter's owner the sum of its gradients over the ranks, in the ranks' order, and
/// clears the others'. A parameter has a gradient afterwards if it had one on any rank. Returns
/// which: the same for every rank.
std::vector<bool> sum_gradients(Communicator& world, Optimizer& optimizer);

/// L2 norm of all gradients together, those of other ranks too, after sum_gradients.
double gradient_norm(Communicator& world, const Optimizer& optimizer);

/// Every rank's weights become their owners', where `chosen`.
void spread_weights(Communicator& world, Optimizer& optimizer, const std::vector<bool>& chosen);

/// The same for all parameters.
void spread_weights(Communicator& world, Optimizer& optimizer);

}  // namespace tarsier
