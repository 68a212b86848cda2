#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "tarsier/train/data/source.h"
#include "tarsier/train/prefetch.h"

namespace tarsier {

/// Tokens of a sample, its shared part once.
std::int64_t token_count(const Sample& sample);

/// Fills the micro-batches of each step with samples up to stage.pack_tokens (training.md 10.3):
/// each sample goes where it fits first; one that fits nowhere waits for the next step, where it
/// goes first, and a step ends when stage.pack_window samples wait. Nothing is ever cut: a sample
/// longer than a micro-batch is bad and named. Steps are a pure function of the source and of what
/// StepData says of the step before. One thread.
class StepPacker {
 public:
  /// Samples from number `next` on are not drawn yet; those of `waiting` were and are still to be
  /// used, in this order. Every rank draws and places all samples of a step, for where one goes
  /// depends on those before it; it makes its own micro-batches, and rank 0 tells of bad samples.
  StepPacker(const SampleSource& source, const Stage& stage, std::uint64_t next,
             const std::vector<std::uint64_t>& waiting, RankPlace place = {});
  StepData make_step();

 private:
  struct Waiting {
    std::uint64_t number;
    Sample sample;
  };
  struct MicroBatch {
    std::vector<Sample> samples;
    std::int64_t tokens = 0;
  };
  bool place(std::vector<MicroBatch>& step, Sample& sample) const;

  const SampleSource& source_;
  std::int64_t micro_batches_, budget_, window_;
  RankPlace place_;
  std::uint64_t next_;
  std::deque<Waiting> waiting_;
  std::vector<ErrorNote> lost_;  // waiting ones that cannot be had any more
};

}  // namespace tarsier
