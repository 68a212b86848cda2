#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/synth/world.h"

namespace tarsier {

/// The one table of phrases per language, from which phrasing.h makes sentences and grammar.h reads
/// them back. A pattern is text with slots in braces: {actor.colour}, {actor.shape}, {actor.size},
/// {actor.place}, the same of {partner...} and {0...} to {4...} (the objects of the opening scene),
/// {direction}, {to}, {background}. Sentences stand without capital and stop.

/// What a pattern's slots say.
struct SlotValues {
  Look actor, partner;
  Direction direction = Direction::none;
  Colour to_colour = Colour::red;
  Background background = Background::black;
  std::vector<Look> objects;
};

enum class Field { colour, shape, size, place, direction, to_colour, background };

/// Literal text, then a slot (or, in the last piece, none).
struct PatternPiece {
  std::string literal;
  bool has_slot = false;
  Field field = Field::colour;
  int whose = -1;  // -1 the actor (or nobody's), -2 the partner, else the index of an object
};
using Pattern = std::vector<PatternPiece>;

inline constexpr std::size_t kMostObjects = 5;

struct Phrases {
  std::array<std::vector<Pattern>, kEventKinds> events;         // by EventKind
  std::array<std::vector<Pattern>, kMostObjects + 1> openings;  // by number of objects; none for 0
  std::string then;   // may stand before an event, after another
  std::string stop;   // ends a sentence
  std::string space;  // between sentences
};

const Phrases& phrases(Language language);

std::string fill(const Pattern& pattern, const SlotValues& values, Language language);
/// True if `text` as a whole is the pattern with some values, which go to `values`.
bool match(const Pattern& pattern, std::string_view text, SlotValues& values, Language language);

/// A place with its preposition: "at the top left", "in the center".
std::string_view place_phrase(Cell cell, Language language);

}  // namespace tarsier
