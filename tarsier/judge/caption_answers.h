#pragma once

#include <cstdint>
#include <string_view>

#include "tarsier/base/outcome.h"
#include "tarsier/judge/caption_judge.h"

namespace tarsier {

/// A model's answer about a caption, read strictly (evaluation.md 3): what stands between one key
/// and the next is one whole number from 0, or a list of texts in JSON or Python's notation; keys
/// stand in order, as they are spelt, and what comes before the first is passed over. Any bytes may
/// come in; a note says why an answer is of no use.

/// "Missed: 1 Incorrect: 0 Hallucination: 2 Missed Events: [...] Incorrect Events: [...]
/// Hallucination Events: [...]". Upstream does not compare counts with lists, nor with `events`.
Outcome<CaptionErrors> read_caption_lists(std::string_view answer, std::int64_t events);

/// "Missed: 1 Correct: 5 Incorrect: 0 Hallucination: 2". Missed, correct and incorrect must add up
/// to `events`.
Outcome<CaptionErrors> read_caption_counts(std::string_view answer, std::int64_t events);

}  // namespace tarsier
