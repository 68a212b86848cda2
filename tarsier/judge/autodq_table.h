#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/base/outcome.h"
#include "tarsier/judge/autodq.h"
#include "tarsier/judge/caption_sample.h"

namespace tarsier {

/// A sample with its score, or why it has none.
struct AutoDqItem {
  CaptionSample sample;
  Outcome<AutoDqScore> outcome;
};

/// Means over samples and what they are over.
struct AutoDqRow {
  std::string task;  // a source, or "OVERALL"
  double recall = 0, precision = 0, f1 = 0;
  std::int64_t success = 0, failed = 0;
  bool undefined = false;  // nothing to take a mean of, or F1 is 0 / 0: upstream has NaN there,
                           // here it is 0 and says so
};

/// Videos as complex as each other, of all sources together.
struct ComplexityColumn {
  std::string_view label;  // "<=1"
  AutoDqRow means;
};
struct ComplexityTable {
  std::string_view name;  // "subjects", "shots" or "events"
  std::array<ComplexityColumn, 4> columns;
};

struct AutoDqTable {
  std::vector<AutoDqRow> rows;  // by source, then OVERALL
  std::vector<ComplexityTable> complexity;
};

/// Upstream's aggregation (evaluation.md 2.2): the mean over a source's samples, the mean of these
/// over sources, and F1 of the means. Samples without a score are counted and in no mean; a source
/// without any score is in no mean either. Complexity tables are over the samples that say how
/// complex they are; a table nobody has numbers for is left out.
AutoDqTable autodq_table(std::span<const AutoDqItem> items);

/// Which column of the table `name` a number belongs to.
std::size_t complexity_column(std::string_view name, std::int64_t number);

}  // namespace tarsier
