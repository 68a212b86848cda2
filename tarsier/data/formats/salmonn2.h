#pragma once

#include <string>

#include "tarsier/base/json.h"
#include "tarsier/data/record.h"

namespace tarsier {

/// video-SALMONN 2's rows. The first version marks all media `<image>`, has its sound in a file of
/// its own, and calls a pair `gpt` (chosen) and `reject_gpt` with the truth in `gt`; answers that
/// are context only are `history_gpt`. 2+ marks by kind, may take the video's own sound
/// (`use_audio`), and calls a pair `chosen` and `reject` with the truth in `gpt`.
enum class Salmonn2Version { first, plus };

/// Either version: a pair's tags say which.
Record parse_salmonn2(const JsonView& row);
std::string write_salmonn2(const Record& record, Salmonn2Version version);

}  // namespace tarsier
