#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/data/corrupt/corruption.h"
#include "tarsier/data/record.h"

namespace tarsier {

/// A video as one corruption leaves it: these frames of the row's video, in this order.
struct CorruptedFrames {
  Corruption kind = Corruption::exchange;
  std::vector<std::int64_t> frames;
};

/// What the keys `corruptions` and `corrupted_from` of a row say (docs/data-formats.md).
struct RowCorruptions {
  std::vector<std::int64_t> intact;  // the frames that were corrupted; may be empty
  std::vector<CorruptedFrames> corrupted;
};

/// Both empty for a row without the keys. InputError naming row and key when one is malformed.
RowCorruptions parse_corruptions(const Record& record);
/// Sets both keys.
void write_corruptions(Record& record, const RowCorruptions& corruptions);

}  // namespace tarsier
