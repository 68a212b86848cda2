#pragma once

#include <string>

#include "tarsier/base/json.h"
#include "tarsier/data/record.h"

namespace tarsier {

/// TRL's rows: `prompt`, `chosen` and `rejected` lists of messages; or `messages`; or `prompt` and
/// `completion`, where the prompt's own answers are context only. Media stand in `images` and (an
/// extension of ours) `videos`; the truth of a pair in `gt` (ours too).
Record parse_trl(const JsonView& row);
std::string write_trl(const Record& record);

}  // namespace tarsier
