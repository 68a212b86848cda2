#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/base/outcome.h"
#include "tarsier/judge/event_judge.h"

namespace tarsier {

/// A model's answers to the two questions of AutoDQ, read strictly. Any bytes may come in; a note
/// says why an answer is of no use.

/// {"events": [texts]}, as JSON or a Python literal, in a fence or not. Every text has words.
Outcome<std::vector<std::string>> read_events(std::string_view answer);

/// {"events": [{"relationship": label, ...}, ...]} after repair_json: `count` of them, each
/// labelled with one of the three words, in any case and with blanks around it.
Outcome<std::vector<EventLabel>> read_labels(std::string_view answer, std::size_t count);

}  // namespace tarsier
