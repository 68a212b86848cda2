#pragma once

#include <string>

#include "tarsier/base/json.h"
#include "tarsier/data/record.h"

namespace tarsier {

/// LLaVA's rows: `image` or `video`, and `conversations` with the mark `<image>` for either
/// (`<video>` for videos where a row has both). Preferences are LLaVA-NeXT's: `prompt`, `answer`
/// (the truth, may be missing), `chosen`, `rejected`, for one question, without marks.
Record parse_llava(const JsonView& row);
std::string write_llava(const Record& record);

}  // namespace tarsier
