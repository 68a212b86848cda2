#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/synth/world.h"

namespace tarsier {

/// The phrases of a language's table (languages/table.h), compiled: phrasing.h makes sentences of
/// them and grammar.h reads them back. Sentences stand without capital and stop.

/// What a phrase's slots say.
struct SlotValues {
  Look actor, partner;
  Direction direction = Direction::none;
  Colour to_colour = Colour::red;
  Background background = Background::black;
  int to_count = 0;
  std::vector<Look> objects;
};

enum class Field {
  colour,
  plural_colour,
  shape,
  plural_shape,
  one_shape,
  the_shape,
  size,
  plural_size,
  article,
  place,
  count,
  direction,
  edge,
  to_colour,
  to_count,
  background
};

/// Literal text, then a slot (or, in the last piece, none).
struct PatternPiece {
  std::string literal;
  bool has_slot = false;
  Field field = Field::colour;
  int whose = -1;  // -1 the actor (or nobody's), -2 the partner, else the index of an object
};
using Pattern = std::vector<PatternPiece>;

/// One phrase in all its forms. `nouns` are those it names (as PatternPiece::whose says); form i
/// has the group's words for noun n where bit n of i is set.
struct Phrase {
  std::vector<int> nouns;
  std::vector<Pattern> forms;
};

inline constexpr std::size_t kMostObjects = 5;

struct Phrases {
  std::array<std::vector<Phrase>, kAllEventKinds> events;      // by EventKind
  std::array<std::vector<Phrase>, kMostObjects + 1> openings;  // by number of objects; none for 0
  Phrase one, the, bare;  // noun phrases of the actor: with articles, and without
  Phrase many;            // a group's members
};

const Phrases& phrases(Language language);

std::string fill(const Phrase& phrase, const SlotValues& values, Language language);
/// True if `text` as a whole is the phrase with some values, which go to `values`. A group whose
/// number is not said gets the count 0.
bool match(const Phrase& phrase, std::string_view text, SlotValues& values, Language language);

}  // namespace tarsier
