#pragma once

#include <optional>

#include "tarsier/grounding/time_notation.h"

namespace tarsier {

/// Reads an answer in JSON, within a code fence or without: a list of {"start", "end", "label"}, as
/// Qwen2.5-VL writes it, or one such object, or an object that holds the list. Numbers are seconds;
/// strings are read as times ("00:02.5", "2.5s"). Nothing when the answer is not JSON; refused when
/// it begins as JSON and cannot be read. An empty list is an empty result.
std::optional<SaidText> parse_json_events(const SaidAnswer& answer, GroundingTask task);

}  // namespace tarsier
