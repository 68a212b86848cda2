#pragma once

#include <span>
#include <string>

#include "tarsier/judge/autodq_report.h"
#include "tarsier/judge/caption_error.h"

namespace tarsier {

/// The reported trial's item `i` as JSON on a line, without the line break: what was judged, its
/// counts and lists, how much was cleaned away and repeats itself; or why it has none.
std::string caption_item_json(std::span<const CaptionItem> items, const CaptionResult& result,
                              std::size_t i);

/// All of a run as one JSON object: the four rates of the median trial and the paper's columns,
/// every trial's error rate, n_total, n_valid, n_failed, each failure, and the origin. `seed`: of
/// the first pass.
std::string caption_scores_json(std::span<const CaptionItem> items, const CaptionResult& result,
                                const CaptionSchedule& schedule, const ScoreOrigin& origin);

/// The paper's columns and the rates behind them, in per cent.
std::string caption_text(const CaptionResult& result, const ScoreOrigin& origin);

}  // namespace tarsier
