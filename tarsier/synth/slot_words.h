#pragma once

#include <string_view>

#include "tarsier/synth/phrases.h"

namespace tarsier {

/// What may stand in a slot of a phrase.

/// The slot of that name in a table's patterns: "colour", "to", ...
Field field_named(std::string_view name);

/// A slot's values are numbers from 0 to value_count - 1.
int value_count(Field field);
int value_of(const SlotValues& values, const PatternPiece& piece);
void set_value(SlotValues& values, const PatternPiece& piece, int value);

/// The words for a slot's value; `values` says with whom they agree (of a noun that stands before).
std::string_view slot_words(const PatternPiece& piece, int value, const SlotValues& values,
                            Language language);

const Look& look_of(const SlotValues& values, int whose);
Look& look_of(SlotValues& values, int whose);

}  // namespace tarsier
