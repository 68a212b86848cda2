#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/base/outcome.h"

namespace tarsier {

/// What a text says of an event: that it happened, nothing sure, or something that rules it out.
enum class EventLabel { entailment, neutral, contradiction };
std::string_view name_of(EventLabel label);  // "entailment", "neutral", "contradiction"

/// The events a text tells, each a short sentence.
struct Extraction {
  std::vector<std::string> events;
  std::int64_t sentences = 0, unparsed = 0;  // of a grammar's reading: all, and those outside it,
                                             // which tell no event; 0 of a model's
};

/// Which prompts a judge was asked with: scores of different ones are not comparable.
struct PromptVersion {
  std::string name;    // "autodq 1"
  std::string sha256;  // of every word of them, in hexadecimal; empty where nothing is asked

  std::string text() const;  // "autodq 1 0123456789ab"
};

/// Takes events out of texts and compares them with texts: the two questions of AutoDQ
/// (evaluation.md 2.1), asked of a model or answered exactly. Thread-safe.
class EventJudge {
 public:
  virtual ~EventJudge() = default;

  /// The events of a text. A note when the judge gave no usable answer, or `stop` ended it; throws
  /// as ChatJudge::complete, InputError for a text that cannot be judged.
  virtual Outcome<Extraction> extract(const std::string& text, std::stop_token stop) = 0;

  /// What `premise` says of each event. Where there are none, a model is asked about `instead`, the
  /// text that had no events, as if it were one: upstream's rule, by which such a side counts only
  /// when that question is answered. The labels are then none all the same. Errors as extract().
  virtual Outcome<std::vector<EventLabel>> label(const std::vector<std::string>& events,
                                                 const std::string& premise,
                                                 const std::string& instead,
                                                 std::stop_token stop) = 0;

  virtual std::string id() const = 0;  // as ChatJudge::id
  virtual PromptVersion prompt() const = 0;
};

}  // namespace tarsier
