#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tarsier {

/// Whether a folder is one of train mrdpo's.
bool holds_rounds(const std::filesystem::path& folder);

/// The lineage of each round that is done, as their files have it: {"rounds": [...]}. Errors as
/// read_lineage's.
nlohmann::ordered_json examine_rounds(const std::filesystem::path& folder);

/// A line for each round: what it began with, learned from and ended with, and what that is worth.
std::string rounds_text(const nlohmann::ordered_json& rounds);

}  // namespace tarsier
