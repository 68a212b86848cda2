#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/data/pairs/pair_rule.h"

namespace tarsier {

/// How chosen and rejected answers differ, counted over a job: whether pairs can be told apart by
/// their length, and what a threshold cuts off (training.md 5.4). One thread.
class PairHistograms {
 public:
  PairHistograms();

  void add_candidates(std::span<const PairDifferences> candidates,
                      const std::map<PairFault, std::int64_t>& faults);
  void add_kept(const PairDifferences& pair);

  /// {"candidates", "kept", "faults": {name: pairs}, "differences": {measure: {"edges",
  /// "candidates": {"pairs", "mean", "counts"}, "kept": {...}}}}. Measures are `words`, `recall`,
  /// `precision` and `errors`; those that no candidate has are left out. counts[0] is below the
  /// first edge, counts[i] from edge i - 1 on and below the next.
  std::string json() const;

 private:
  struct Counts {
    std::int64_t pairs = 0;
    double sum = 0;
    std::vector<std::int64_t> counts;
  };
  struct Measure {
    std::string_view name;
    std::vector<double> edges;
    Counts candidates, kept;
  };
  static constexpr std::size_t kMeasures = 4;

  void add(const PairDifferences& pair, Counts Measure::*to);

  std::array<Measure, kMeasures> measures_;
  std::map<PairFault, std::int64_t> faults_;
  std::int64_t candidates_ = 0, kept_ = 0;
};

/// A line for people on each measure of the kept pairs, of PairHistograms::json().
std::vector<std::string> histogram_lines(const std::string& json);

}  // namespace tarsier
