#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tarsier/judge/autodq_table.h"

namespace tarsier {

/// What scores must never be without.
struct ScoreOrigin {
  std::string judge;  // EventJudge::id
  PromptVersion prompt;
  std::string version;          // of this program
  std::int64_t duplicates = 0;  // rows left out because an earlier one had the same key
};

/// One sample as JSON on a line, without the line break: its texts, its events with their labels,
/// hits as [hits, total]; or why it failed.
std::string autodq_item_json(const AutoDqItem& item);

/// All of a run as one JSON object: rows, complexity tables, n_total, n_valid, n_failed, each
/// failure, and the origin. Where a generation had failed (CaptionSample::was_generated) also the
/// rows with 0 for these.
std::string autodq_scores_json(std::span<const AutoDqItem> items, const ScoreOrigin& origin);

/// The tables in upstream's columns, three decimals.
std::string autodq_text(const AutoDqTable& table, const ScoreOrigin& origin);

}  // namespace tarsier
