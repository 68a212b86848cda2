#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tarsier/data/fraction.h"
#include "tarsier/data/pairs/candidates.h"

namespace tarsier {

/// Which of two answers is preferred, and by enough? Exact: all comparisons are of rationals.

enum class PairRule {
  autodq,  // training.md 5.3: neither recall nor precision falls, together they gain delta or more
  error,   // training.md 7.4: errors per event fall by min_gap or more
};
/// Where rejected answers come from. Chosen ones come from the intact video.
enum class PairSource {
  corrupted,  // Tarsier2's negative sampling; pairs that fail are never turned around
  intact,     // both from the intact video, the better one chosen: MrDPO, and Tarsier2's ablation
};
/// "autodq", "error"; "corrupted", "intact".
const char* name_of(PairRule rule);
const char* name_of(PairSource source);

struct PairSettings {
  PairRule rule = PairRule::autodq;
  PairSource source = PairSource::corrupted;
  bool filter = true;  // false: no threshold; with corrupted videos no scores either
  Fraction delta{3, 10}, min_gap{1, 20};
  std::int64_t per_row = 1;  // pairs of a row, at most

  std::string json() const;  // for settings.json
};

/// Why two answers make no pair, in the order in which it is looked for.
enum class PairFault {
  empty,           // an answer without words
  cut,             // an answer that ended at the limit of tokens ...
  loop,            // ... or repeating itself
  identical,       // the same words, but for white space around them
  unscored,        // the rule's score is missing
  other_judge,     // scores of two judges, or of two prompts of one
  no_events,       // errors per event of a truth without events
  equal,           // neither is better
  recall_fell,     // below the rejected one's
  precision_fell,  // the same
  below_delta,
  below_gap,
};
/// "empty", ..., "below_gap": counters of reports.
const char* name_of(PairFault fault);

/// Of a pair; a score's difference is there when both answers have it, of one judge.
struct PairDifferences {
  std::int64_t words = 0;                     // chosen minus rejected
  std::optional<Fraction> recall, precision;  // the same
  std::optional<Fraction> errors;             // per event, rejected minus chosen
};
PairDifferences differences_of(const Candidate& chosen, const Candidate& rejected);

/// A text without the white space around it: what tells whether two answers are the same.
std::string_view bare_words(std::string_view text);

/// What keeps two answers from ever being a pair, whatever their scores: the first four faults.
std::optional<PairFault> text_fault(const Candidate& a, const Candidate& b);

/// What the rule weighs: recall and precision together, or errors. Nothing without such scores.
std::optional<Fraction> gain_of(const PairDifferences& differences, PairRule rule);

/// The rule on two answers that text_fault() lets pass; nothing when the pair is kept.
std::optional<PairFault> score_fault(const Candidate& chosen, const Candidate& rejected,
                                     const PairSettings& settings);

}  // namespace tarsier
