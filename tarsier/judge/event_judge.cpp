#include "tarsier/judge/event_judge.h"

#include "tarsier/base/error.h"

namespace tarsier {

std::string_view name_of(EventLabel label) {
  switch (label) {
    case EventLabel::entailment:
      return "entailment";
    case EventLabel::neutral:
      return "neutral";
    case EventLabel::contradiction:
      return "contradiction";
  }
  throw_broken_promise("EventLabel has three values");
}

std::string PromptVersion::text() const {
  return sha256.empty() ? name : name + " " + sha256.substr(0, 12);
}

}  // namespace tarsier
