#pragma once

#include <optional>
#include <string>

#include "tarsier/base/error.h"
#include "tarsier/data/rows/row_input.h"
#include "tarsier/train/data/source.h"
#include "tarsier/train/preference/preference_loss.h"

namespace tarsier {

// Rows with a preference, and what they say of where it comes from: their key "pair"
// (docs/data-formats.md).

/// Why a row with a preference cannot be learned from, without a look at its media: an answer that
/// was cut, a true answer that is wanted and not there, a model that is not the reference. What
/// `data check` finds is the caller's.
std::optional<ErrorNote> fault_in_pair(const Row& row, const PairRules& rules);

/// InputError when the row says which video or sound its answers were sampled from and its own is
/// another.
void check_pair_media(const Row& row);

/// The reference's log-probabilities, where the row brings them.
std::optional<AnswerLogProbs> given_reference(const Row& row);

}  // namespace tarsier
