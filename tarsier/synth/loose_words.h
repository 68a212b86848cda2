#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tarsier/base/random.h"
#include "tarsier/synth/world.h"

namespace tarsier {

/// Words as the web has them, for pre-training: they leave things out, and some are wrong. Each
/// text comes with what is wrong in it, so data made of them can be counted and mended.

/// One thing a text says that is not so.
struct Flaw {
  std::string kind;         // "event", "sound", "object", "background": invented; "time": shifted
  std::string said, truth;  // names, clauses or frame markers
  bool operator==(const Flaw&) const = default;
};

struct LooseText {
  std::string text;
  std::vector<Flaw> flaws;    // in the order of the text, those of sounds behind the others
  std::int64_t left_out = 0;  // objects of the opening, and events, that it does not mention; and
                              // sounds, of texts that may mention any
};

struct WebRates {
  double wrong = 0.1;      // of the captions say one thing that is not so
  double leave_out = 0.4;  // of the objects; one always stays
};

/// A line as a page has it beside a video: some objects of the opening scene, or one event; a
/// language's web frames go around it. Outside the grammar, and of what is seen alone.
LooseText web_caption(const Clip& clip, Language language, Random& random, const WebRates& rates);

struct DriftRates {
  double seconds = 1.5;    // the commentary runs ahead or behind by up to this much
  double jitter = 0.4;     // and each event by up to this much more, in seconds
  double leave_out = 0.2;  // of the events; one always stays
};

/// A running commentary: the true events in order, each after a frame interval that is shifted in
/// time, in the form of describe_with_intervals() without the opening. Each interval that is not
/// the true one is a "time" flaw. Of what is seen alone.
LooseText drifting_commentary(const Clip& clip, std::span<const double> frame_seconds,
                              Language language, Random& random, const DriftRates& rates);

struct FlawRates {
  double omit = 0.25;    // of the events, of which one always stays, and of the sounds
  double invent = 0.15;  // events and sounds that were not, for each that was
};

/// A description as a hurried annotator writes it: describe()'s opening scene, then events, some of
/// them left out and some invented, each a near miss of a true one at its time; so too of
/// sounds. Inside the grammar.
LooseText flawed_description(const Clip& clip, Language language, Random& random,
                             const FlawRates& rates);

}  // namespace tarsier
