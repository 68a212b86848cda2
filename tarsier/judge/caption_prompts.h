#pragma once

#include <string>
#include <vector>

#include "tarsier/judge/chat_judge.h"
#include "tarsier/judge/event_judge.h"

namespace tarsier {

/// The questions of the caption metric in our words (evaluation.md 3), with upstream's parameters:
/// temperature 0, top_p 0.1. A change here is a new version.

/// For counts and lists; read_caption_lists reads the answer.
JudgeRequest caption_lists_request(const std::vector<std::string>& events,
                                   const std::string& caption, std::int64_t seed);
/// For counts alone; read_caption_counts reads the answer.
JudgeRequest caption_counts_request(const std::vector<std::string>& events,
                                    const std::string& caption, std::int64_t seed);

PromptVersion caption_prompt();

}  // namespace tarsier
