#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/data/pairs/candidates.h"
#include "tarsier/data/pairs/pair_rule.h"
#include "tarsier/data/stages/row_stage.h"

namespace tarsier {

/// A preference of one row.
struct ChosenPair {
  std::size_t chosen = 0, rejected = 0;  // indices into RowCandidates::samples
  PairDifferences differences;
  std::optional<Fraction> gain;  // what the rule weighed; none where no score was asked for
};

struct PairChoice {
  std::vector<ChosenPair> pairs;
  std::vector<PairDifferences> candidates;   // of every two answers whose texts may be a pair
  std::map<PairFault, std::int64_t> faults;  // of every two that may not, or that the rule refuses
};

/// The pairs of a row, at most `settings.per_row`: each time the two answers whose texts stand in
/// the fewest pairs so far; of these the largest gain; of these the first in the order of the
/// samples. So no text comes twice while there is another way. Without a filter answers of
/// corrupted videos are taken as they come: the first with the first, the second with the second.
/// Pure.
PairChoice choose_pairs(const RowCandidates& row, const PairSettings& settings);

/// Why a row has no pair: `no_samples`, or the fault of the answers that came furthest.
Dropped why_no_pair(const RowCandidates& row, const PairChoice& choice,
                    const PairSettings& settings);

}  // namespace tarsier
