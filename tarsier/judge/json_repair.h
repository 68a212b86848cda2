#pragma once

#include <string>
#include <string_view>

#include "tarsier/base/json.h"

namespace tarsier {

/// What judges write in place of JSON, and how much of it is read (evaluation.md 2.1). Any bytes
/// may come in; nothing is guessed beyond the steps named.

/// The text of an answer inside a code fence (```json, ```python or bare) that opens it, trimmed;
/// the text trimmed when there is none.
std::string without_fences(std::string_view text);

/// In this order: blanks and line breaks become one blank; fences go; a missing `{` in front and
/// `}` behind are added; True and False become true and false; a comma goes between `} {` and `}{`;
/// commas before `}` and `]` go; `[Placeholder]` becomes null.
std::string repair_json(std::string_view text);

/// Reads a literal of dicts, lists, texts, numbers, True, False and None, as Python's literal_eval
/// does, and JSON too. Stricter than Python: no tuples and sets, no texts joined by standing side
/// by side, no prefixes. InputError naming `where`, as parse_json.
JsonView parse_literal(std::string_view text, std::string where);

}  // namespace tarsier
