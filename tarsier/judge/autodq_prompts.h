#pragma once

#include <string>
#include <vector>

#include "tarsier/judge/chat_judge.h"
#include "tarsier/judge/event_judge.h"

namespace tarsier {

/// The two questions of AutoDQ in our words, to the rules of evaluation.md 2.1. Another wording is
/// another judge: a change here is a new version.

/// Asks for the events of a description; its double quotes become single ones. read_events reads
/// the answer.
JudgeRequest extraction_request(const std::string& text);

/// Asks for the label of each of `events` (at least one) by `premise`. read_labels reads the
/// answer.
JudgeRequest label_request(const std::vector<std::string>& events, const std::string& premise);

PromptVersion autodq_prompt();

/// A version whose SHA-256 is that of `requests`, which hold every word of a kind of question with
/// marks in place of texts.
PromptVersion prompt_version(const std::string& name, const std::vector<JudgeRequest>& requests);

}  // namespace tarsier
