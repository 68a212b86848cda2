#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tarsier {

/// The candidate that `word` was probably meant to be: at most two letters wrong, missing, added or
/// swapped, and fewer than half of them. nullopt when none is that near.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace tarsier
