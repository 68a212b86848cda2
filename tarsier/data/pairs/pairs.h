#pragma once

#include "tarsier/data/pairs/choose_pairs.h"
#include "tarsier/data/stages/row_stage.h"

namespace tarsier {

/// A row as one preference: `preference` set, the truth staying the text of the last turn (an empty
/// answer is added where the row ends with a question), `samples`, `corruptions` and `sampling`
/// gone, and `pair` in their place (docs/data-formats.md).
Record pair_row(const Record& record, const RowCandidates& candidates, const ChosenPair& pair,
                const PairSettings& settings);

/// The stage: a row of candidates.h becomes a row for each of its pairs, or is dropped for
/// `no_samples` or a PairFault. The report's summary is PairHistograms::json() over all rows.
/// InputError: candidates that are malformed, a row that is a preference already.
RowStage make_pair_stage(const PairSettings& settings);

}  // namespace tarsier
