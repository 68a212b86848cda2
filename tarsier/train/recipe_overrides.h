#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tarsier/base/json.h"

namespace tarsier {

/// A recipe's JSON with comments, edited by "key=value" with dotted keys ("stages.0.steps=10"): the
/// value is JSON or, where that does not parse, a string. `file` in messages is the file's name.
/// ConfigError naming the override.
JsonView read_with_overrides(const std::filesystem::path& file,
                             const std::vector<std::string>& overrides);

}  // namespace tarsier
