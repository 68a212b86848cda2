#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tarsier/train/recipe.h"

namespace tarsier {

/// Names and values, in an order for people: {"cpu", "AMD EPYC 9654"}.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// Writes what a run was made with: recipe.json, the recipe with its overrides, and machine.json.
/// ResourceError when the disk refuses.
void write_run_facts(const std::filesystem::path& run, const Recipe& recipe, const Facts& machine);

}  // namespace tarsier
