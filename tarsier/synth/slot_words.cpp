#include "tarsier/synth/slot_words.h"

#include <utility>

#include "tarsier/base/error.h"
#include "tarsier/synth/languages/table.h"

namespace tarsier {
namespace {

constexpr std::pair<std::string_view, Field> kFields[] = {
    {"colour", Field::colour},     {"colours", Field::plural_colour},
    {"shape", Field::shape},       {"shapes", Field::plural_shape},
    {"one", Field::one_shape},     {"the", Field::the_shape},
    {"size", Field::size},         {"sizes", Field::plural_size},
    {"article", Field::article},   {"place", Field::place},
    {"count", Field::count},       {"direction", Field::direction},
    {"edge", Field::edge},         {"to", Field::to_colour},
    {"to_count", Field::to_count}, {"background", Field::background},
};

// The form of an adjective, among the one or four there are.
template <class Forms>
const auto& form(const Forms& forms, const LanguageTable& words, Shape shape, bool plural) {
  if (forms.size() == 1) return forms[0];
  return forms[(plural ? 2u : 0u) + (words.feminine[static_cast<std::size_t>(shape)] ? 1u : 0u)];
}

template <class Values>  // SlotValues, const or not
auto& whose_look(Values& values, int whose) {
  if (whose == -1) return values.actor;
  return whose == -2 ? values.partner : values.objects[static_cast<std::size_t>(whose)];
}

}  // namespace

Field field_named(std::string_view name) {
  for (const auto& [known, field] : kFields) {
    if (known == name) return field;
  }
  throw InternalError({"synth", "no slot is named '" + std::string(name) + "'", ""});
}

const Look& look_of(const SlotValues& values, int whose) { return whose_look(values, whose); }
Look& look_of(SlotValues& values, int whose) { return whose_look(values, whose); }

int value_count(Field field) {
  switch (field) {
    case Field::colour:
    case Field::plural_colour:
    case Field::to_colour:
    case Field::article:
      return kColours;
    case Field::shape:
    case Field::plural_shape:
    case Field::one_shape:
    case Field::the_shape:
      return kAllShapes;
    case Field::size:
    case Field::plural_size:
      return kSizes;
    case Field::place:
      return kCells;
    case Field::count:
    case Field::to_count:
      return kMostInGroup - kLeastInGroup + 1;
    case Field::direction:
    case Field::edge:
      return 4;
    case Field::background:
      return kBackgrounds;
  }
  return 0;
}

int value_of(const SlotValues& values, const PatternPiece& piece) {
  switch (piece.field) {
    case Field::colour:
    case Field::plural_colour:
    case Field::article:
      return static_cast<int>(look_of(values, piece.whose).colour);
    case Field::shape:
    case Field::plural_shape:
    case Field::one_shape:
    case Field::the_shape:
      return static_cast<int>(look_of(values, piece.whose).shape);
    case Field::size:
    case Field::plural_size:
      return static_cast<int>(look_of(values, piece.whose).size);
    case Field::place:
      return look_of(values, piece.whose).cell;
    case Field::count:
      return look_of(values, piece.whose).count - kLeastInGroup;
    case Field::direction:
    case Field::edge:
      return static_cast<int>(values.direction) - 1;
    case Field::to_colour:
      return static_cast<int>(values.to_colour);
    case Field::to_count:
      return values.to_count - kLeastInGroup;
    case Field::background:
      return static_cast<int>(values.background);
  }
  return 0;
}

void set_value(SlotValues& values, const PatternPiece& piece, int value) {
  if (piece.whose >= 0 && values.objects.size() <= static_cast<std::size_t>(piece.whose)) {
    values.objects.resize(static_cast<std::size_t>(piece.whose) + 1);
  }
  switch (piece.field) {
    case Field::colour:
    case Field::plural_colour:
      look_of(values, piece.whose).colour = static_cast<Colour>(value);
      break;
    case Field::shape:
    case Field::plural_shape:
    case Field::one_shape:
    case Field::the_shape:
      look_of(values, piece.whose).shape = static_cast<Shape>(value);
      break;
    case Field::size:
    case Field::plural_size:
      look_of(values, piece.whose).size = static_cast<ShapeSize>(value);
      break;
    case Field::article:  // says nothing that its noun does not
      break;
    case Field::place:
      look_of(values, piece.whose).cell = value;
      break;
    case Field::count:
      look_of(values, piece.whose).count = value + kLeastInGroup;
      break;
    case Field::direction:
    case Field::edge:
      values.direction = static_cast<Direction>(value + 1);
      break;
    case Field::to_colour:
      values.to_colour = static_cast<Colour>(value);
      break;
    case Field::to_count:
      values.to_count = value + kLeastInGroup;
      break;
    case Field::background:
      values.background = static_cast<Background>(value);
      break;
  }
}

std::string_view slot_words(const PatternPiece& piece, int value, const SlotValues& values,
                            Language language) {
  const LanguageTable& words = table(language);
  const auto i = static_cast<std::size_t>(value);
  const auto agree = [&](const auto& forms, bool plural) {
    return form(forms, words, look_of(values, piece.whose).shape, plural)[i];
  };
  switch (piece.field) {
    case Field::colour:
      return agree(words.colours, false);
    case Field::plural_colour:
      return agree(words.colours, true);
    case Field::shape:
      return words.shapes[i];
    case Field::plural_shape:
      return words.plural_shapes[i];
    case Field::one_shape:
      return words.one_shape[i];
    case Field::the_shape:
      return words.the_shape[i];
    case Field::size:
      return agree(words.sizes, false);
    case Field::plural_size:
      return agree(words.sizes, true);
    case Field::article:
      return words.articles[i];
    case Field::place:
      return words.at_places[i];
    case Field::count:
    case Field::to_count:
      return words.counts[i + kLeastInGroup];
    case Field::direction:
      return words.directions[i + 1];
    case Field::edge:
      return words.edges[i + 1];
    case Field::to_colour:  // the noun of a group is the word "group", masculine where it matters
      return is_group(values.actor) ? words.colours[0][i]
                                    : form(words.colours, words, values.actor.shape, false)[i];
    case Field::background:
      return words.backgrounds[i];
  }
  return "";
}

}  // namespace tarsier
