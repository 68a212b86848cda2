#pragma once

#include "tarsier/data/rows/row_input.h"
#include "tarsier/processors/conversation.h"
#include "tarsier/train/data/row_media.h"

namespace tarsier {

/// A row's turns as a model reads them, its media decoded as row_media.h says. Errors as
/// read_row_media's. Any thread.
Conversation row_conversation(const Row& row, const RowMediaSettings& settings);

}  // namespace tarsier
