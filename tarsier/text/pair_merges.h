#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/text/merge_table.h"
#include "tarsier/text/vocabulary.h"

namespace tarsier {

/// Byte-pair merges: which neighbouring tokens become one, in which order. Immutable; thread-safe.
class PairMerges {
 public:
  /// The "merges" of tokenizer.json, "left right" or ["left", "right"] each. CheckpointError names
  /// an entry of another form or with a token that `vocabulary` does not hold.
  static PairMerges parse(const JsonView& merges, const Vocabulary& vocabulary);

  /// Merges the neighbouring pair of lowest rank, leftmost first, until none is left, in time
  /// n log n.
  void apply(std::vector<std::uint32_t>& symbols) const;

 private:
  void by_scan(std::vector<std::uint32_t>& symbols) const;
  void by_heap(std::vector<std::uint32_t>& symbols) const;

  MergeTable table_;
};

}  // namespace tarsier
