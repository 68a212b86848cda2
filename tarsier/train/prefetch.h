#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/train/batch.h"
#include "tarsier/train/data/source.h"
#include "tarsier/train/optimizer/owners.h"

namespace tarsier {

/// What one optimizer step learns from, on this rank.
struct StepData {
  std::vector<Batch> micro_batches;    // without those whose samples were all bad
  std::vector<ErrorNote> bad;          // samples that could not be used
  std::uint64_t samples = 0;           // of the step, good and bad, those of the other ranks too
  std::vector<std::uint64_t> waiting;  // numbers of those that later steps use (packing.h)
};

/// How the data of steps is made.
struct PrefetchSettings {
  // Rank r of N makes micro-batches r, r + N, ... of each step: the ranks together make what one
  // alone would.
  RankPlace place = {};
  // So many make a step's samples side by side, but for packed ones, whose places follow from one
  // another.
  std::int64_t threads = 1;
  // Neighbouring micro-batches become one while together they have at most so many tokens: where
  // starting the work costs more than the work. Not packed ones.
  std::int64_t join_tokens = 0;
};

/// Makes the data of coming steps on a thread of its own, in order, at most a few ahead. Destroyed,
/// it stops.
class Prefetch {
 public:
  /// Starts with sample number `first_sample`, and those of `waiting` before it. The source must
  /// outlive it.
  Prefetch(const SampleSource& source, const Stage& stage, std::uint64_t first_sample,
           std::vector<std::uint64_t> waiting = {}, const PrefetchSettings& settings = {});
  ~Prefetch();
  /// The next step's data; rethrows what the thread failed with. Blocks.
  StepData next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tarsier
