#pragma once

#include "tarsier/data/record.h"

namespace tarsier {

/// What a row costs to train on, in tokens, from the row alone: a token for 4 bytes of text, and
/// 300 for each picture or frame (Tarsier2 at its default pixel budget; 16 frames unless the row
/// says), all of them together at most what Tarsier2's pixel budget of a sample leaves.
double row_cost(const Record& record);

}  // namespace tarsier
