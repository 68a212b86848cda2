#pragma once

#include <string>

#include "tarsier/base/json.h"
#include "tarsier/data/record.h"

namespace tarsier {

/// Tarsier's rows: `messages` of parts, each part of media with its file and settings. The native
/// shape: it holds all but masked answers. `audio_file` and `use_audio` of a video are ours.
Record parse_tarsier(const JsonView& row);
std::string write_tarsier(const Record& record);

}  // namespace tarsier
