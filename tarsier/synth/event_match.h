#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tarsier/synth/grammar.h"
#include "tarsier/synth/world.h"

namespace tarsier {

/// Which told events and sounds are which true ones: the one rule behind every exact score of the
/// world.

/// An event as a perfect description tells it, without frames.
ParsedEvent told_event(const Event& event);

/// The same of a sound, with the event that it goes with.
ParsedEvent told_sound(const Clip& clip, const ClipSound& sound);
/// All that happens in a clip, in the order of happenings() (timeline.h).
std::vector<ParsedEvent> told_events(const Clip& clip);

/// The same kind, object and argument: the direction of a move, bounce, follow or walk, a
/// recolour's colour, a recount's number, the partner (of a swap either way round), a cut's
/// background, an appear's size and place. Sounds: the same kind, and both with the same event or
/// both with none; so a sound that goes with an event is not told by its name alone. An
/// equivalence: frames play no part.
bool same_event(const ParsedEvent& a, const ParsedEvent& b);

/// A told event as a clause, as event_clause (phrasing.h) has it; parse_description reads it back.
std::string told_clause(const ParsedEvent& event, Language language);

/// For each truth the claim that agrees with it, one to one, or -1. `agree` is an equivalence, so
/// taking the first free claim finds as many matches as there can be.
template <class Truth, class Claim, class Agree>
std::vector<std::int64_t> match_one_to_one(const std::vector<Truth>& truths,
                                           const std::vector<Claim>& claims, Agree agree) {
  std::vector<std::int64_t> of_truth;
  std::vector<bool> used(claims.size());
  for (const Truth& truth : truths) {
    of_truth.push_back(-1);
    for (std::size_t i = 0; i < claims.size() && of_truth.back() < 0; ++i) {
      if (used[i] || !agree(truth, claims[i])) continue;
      used[i] = true;
      of_truth.back() = static_cast<std::int64_t>(i);
    }
  }
  return of_truth;
}

/// The same of events by same_event.
std::vector<std::int64_t> match_events(const std::vector<ParsedEvent>& truths,
                                       const std::vector<ParsedEvent>& claims);

}  // namespace tarsier
