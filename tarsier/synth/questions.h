#pragma once

#include <array>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/base/random.h"
#include "tarsier/synth/world.h"

namespace tarsier {

/// kind: colour, shape, count, place, background, first, after, times, when, is_there, does_it,
/// before, choice. The three before `choice` are probes: their answers are yes / no (是 / 否, sí /
/// no). Order is comes_before's: what begins first happens first; "after" is asked of events that
/// are over when the next begins. Of clips with sounds also the kinds of sound_questions.h.
struct Question {
  std::string kind, question, answer;
};

/// Every kind of question this clip has an unambiguous answer to, in the order above and then those
/// about sounds; at least one per kind that applies. Answers are a few words and nothing else.
/// Probes come as neighbours in balanced pairs, one yes and one no in random order; half of the
/// false ones differ from the truth in a single attribute. "when" is answered by a frame interval
/// over `frame_seconds` ("<frame: 2-4>"), "choice" by a letter.
std::vector<Question> make_questions(const Clip& clip, std::span<const double> frame_seconds,
                                     Language language, Random& random);

inline constexpr std::array<std::string_view, 13> kQuestionKinds = {
    "colour", "shape", "count",    "place",   "background", "first", "after",
    "times",  "when",  "is_there", "does_it", "before",     "choice"};

/// At least `count` of them (where there are as many), without repetition, in random order; a probe
/// comes with its partner of the other answer, which may be one more than asked for. `weights` say
/// how much likelier a question of a kind is to be drawn next than one of weight 1; kinds that are
/// not named have weight 1, and an empty map makes all equal.
std::vector<Question> draw_questions(const Clip& clip, std::span<const double> frame_seconds,
                                     Language language, std::int64_t count, Random& random,
                                     const std::map<std::string, double>& weights = {});

/// True for is_there, does_it, before and is_heard.
bool is_probe(std::string_view kind);

}  // namespace tarsier
