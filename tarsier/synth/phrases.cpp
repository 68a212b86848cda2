#include "tarsier/synth/phrases.h"

#include "tarsier/base/error.h"
#include "tarsier/synth/vocabulary.h"

namespace tarsier {
namespace {

constexpr int kActor = -1, kPartner = -2;

struct Wording {
  std::array<std::vector<std::string>, kEventKinds> events;
  std::vector<std::string> openings;  // {objects} stands for the list
  std::string object;                 // one object of that list, {#...} its slots
  std::string comma, last_comma;      // between the list's objects; before the last one
  std::string then, stop, space;
};

const Wording& english() {
  static const Wording wording{
      .events = {{
          {"a {actor.size} {actor.colour} {actor.shape} appears {actor.place}",
           "{actor.place}, a {actor.size} {actor.colour} {actor.shape} appears"},
          {"the {actor.colour} {actor.shape} disappears",
           "the {actor.colour} {actor.shape} goes away"},
          {"the {actor.colour} {actor.shape} moves {direction}",
           "the {actor.colour} {actor.shape} goes {direction}"},
          {"the {actor.colour} {actor.shape} grows",
           "the {actor.colour} {actor.shape} gets bigger"},
          {"the {actor.colour} {actor.shape} shrinks",
           "the {actor.colour} {actor.shape} gets smaller"},
          {"the {actor.colour} {actor.shape} turns {to}",
           "the {actor.colour} {actor.shape} becomes {to}"},
          {"the {actor.colour} {actor.shape} spins", "the {actor.colour} {actor.shape} rotates"},
          {"the {actor.colour} {actor.shape} jumps", "the {actor.colour} {actor.shape} hops"},
          {"the {actor.colour} {actor.shape} and the {partner.colour} {partner.shape} swap places",
           "the {actor.colour} {actor.shape} swaps places with the {partner.colour} "
           "{partner.shape}"},
          {"the background turns {background}", "the background becomes {background}"},
      }},
      .openings = {"on a {background} background, there is {objects}",
                   "the background is {background}, with {objects}"},
      .object = "a {#.size} {#.colour} {#.shape} {#.place}",
      .comma = ", ",
      .last_comma = " and ",
      .then = "then ",
      .stop = ".",
      .space = " ",
  };
  return wording;
}

const Wording& chinese() {
  static const Wording wording{
      .events = {{
          {"一个{actor.size}的{actor.colour}{actor.shape}出现在{actor.place}",
           "{actor.place}出现一个{actor.size}的{actor.colour}{actor.shape}"},
          {"{actor.colour}{actor.shape}消失", "{actor.colour}{actor.shape}不见了"},
          {"{actor.colour}{actor.shape}向{direction}移动",
           "{actor.colour}{actor.shape}往{direction}走"},
          {"{actor.colour}{actor.shape}变大", "{actor.colour}{actor.shape}变得更大"},
          {"{actor.colour}{actor.shape}变小", "{actor.colour}{actor.shape}变得更小"},
          {"{actor.colour}{actor.shape}变成{to}", "{actor.colour}{actor.shape}变为{to}"},
          {"{actor.colour}{actor.shape}旋转", "{actor.colour}{actor.shape}转动"},
          {"{actor.colour}{actor.shape}跳动", "{actor.colour}{actor.shape}跳起来"},
          {"{actor.colour}{actor.shape}和{partner.colour}{partner.shape}交换位置",
           "{actor.colour}{actor.shape}与{partner.colour}{partner.shape}互换位置"},
          {"背景变成{background}", "背景变为{background}"},
      }},
      .openings = {"在{background}背景上，{objects}", "背景是{background}，{objects}"},
      .object = "{#.place}有一个{#.size}的{#.colour}{#.shape}",
      .comma = "，",
      .last_comma = "，",
      .then = "然后",
      .stop = "。",
      .space = "",
  };
  return wording;
}

Field field_named(std::string_view name) {
  if (name == "colour") return Field::colour;
  if (name == "shape") return Field::shape;
  if (name == "size") return Field::size;
  if (name == "place") return Field::place;
  if (name == "direction") return Field::direction;
  if (name == "to") return Field::to_colour;
  check(name == "background", "a phrase's slot has a known name");
  return Field::background;
}

Pattern compile(std::string_view text) {
  Pattern pattern;
  while (true) {
    const std::size_t open = text.find('{');
    PatternPiece piece{.literal = std::string(text.substr(0, open))};
    if (open == std::string_view::npos) {
      pattern.push_back(piece);
      return pattern;
    }
    const std::size_t close = text.find('}', open);
    const std::string_view slot = text.substr(open + 1, close - open - 1);
    const std::size_t dot = slot.find('.');
    piece.has_slot = true;
    piece.field = field_named(dot == std::string_view::npos ? slot : slot.substr(dot + 1));
    if (dot != std::string_view::npos) {
      const std::string_view whose = slot.substr(0, dot);
      piece.whose = whose == "actor" ? kActor : whose == "partner" ? kPartner : whose[0] - '0';
    }
    pattern.push_back(piece);
    text.remove_prefix(close + 1);
  }
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

Phrases make_phrases(const Wording& wording) {
  Phrases phrases{.events = {},
                  .openings = {},
                  .then = wording.then,
                  .stop = wording.stop,
                  .space = wording.space};
  for (std::size_t kind = 0; kind < phrases.events.size(); ++kind) {
    for (const std::string& text : wording.events[kind])
      phrases.events[kind].push_back(compile(text));
  }
  for (std::size_t count = 1; count <= kMostObjects; ++count) {
    std::string list;
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) list += i + 1 == count ? wording.last_comma : wording.comma;
      list += replaced(wording.object, "#", std::to_string(i));
    }
    for (const std::string& text : wording.openings) {
      phrases.openings[count].push_back(compile(replaced(text, "{objects}", list)));
    }
  }
  return phrases;
}

// Values is SlotValues, const or not.
template <class Values>
auto& look_of(Values& values, int whose) {
  if (whose == kActor) return values.actor;
  if (whose == kPartner) return values.partner;
  return values.objects[static_cast<std::size_t>(whose)];
}

// The number of values a field has, and the words for each.
int value_count(Field field) {
  switch (field) {
    case Field::colour:
    case Field::to_colour:
      return kColours;
    case Field::shape:
      return kShapes;
    case Field::size:
      return kSizes;
    case Field::place:
      return kCells;
    case Field::direction:
      return 4;
    case Field::background:
      return kBackgrounds;
  }
  return 0;
}

std::string_view words(Field field, int value, Language language) {
  switch (field) {
    case Field::colour:
    case Field::to_colour:
      return word(static_cast<Colour>(value), language);
    case Field::shape:
      return word(static_cast<Shape>(value), language);
    case Field::size:
      return word(static_cast<ShapeSize>(value), language);
    case Field::place:
      return place_phrase(value, language);
    case Field::direction:
      return word(static_cast<Direction>(value + 1), language);
    case Field::background:
      return word(static_cast<Background>(value), language);
  }
  return "";
}

int value_of(const SlotValues& values, const PatternPiece& piece) {
  switch (piece.field) {
    case Field::colour:
      return static_cast<int>(look_of(values, piece.whose).colour);
    case Field::shape:
      return static_cast<int>(look_of(values, piece.whose).shape);
    case Field::size:
      return static_cast<int>(look_of(values, piece.whose).size);
    case Field::place:
      return look_of(values, piece.whose).cell;
    case Field::direction:
      return static_cast<int>(values.direction) - 1;
    case Field::to_colour:
      return static_cast<int>(values.to_colour);
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
      look_of(values, piece.whose).colour = static_cast<Colour>(value);
      break;
    case Field::shape:
      look_of(values, piece.whose).shape = static_cast<Shape>(value);
      break;
    case Field::size:
      look_of(values, piece.whose).size = static_cast<ShapeSize>(value);
      break;
    case Field::place:
      look_of(values, piece.whose).cell = value;
      break;
    case Field::direction:
      values.direction = static_cast<Direction>(value + 1);
      break;
    case Field::to_colour:
      values.to_colour = static_cast<Colour>(value);
      break;
    case Field::background:
      values.background = static_cast<Background>(value);
      break;
  }
}

// Words may begin alike ("top", "top left"), so every value is tried until the rest matches too.
bool match_from(const Pattern& pattern, std::size_t index, std::string_view text,
                SlotValues& values, Language language) {
  const PatternPiece& piece = pattern[index];
  if (!text.starts_with(piece.literal)) return false;
  text.remove_prefix(piece.literal.size());
  if (!piece.has_slot) return text.empty();
  for (int value = 0; value < value_count(piece.field); ++value) {
    const std::string_view said = words(piece.field, value, language);
    if (!text.starts_with(said)) continue;
    set_value(values, piece, value);
    if (match_from(pattern, index + 1, text.substr(said.size()), values, language)) return true;
  }
  return false;
}

}  // namespace

const Phrases& phrases(Language language) {
  static const std::array<Phrases, 2> all = {make_phrases(english()), make_phrases(chinese())};
  return all[static_cast<std::size_t>(language)];
}

std::string fill(const Pattern& pattern, const SlotValues& values, Language language) {
  std::string text;
  for (const PatternPiece& piece : pattern) {
    text += piece.literal;
    if (piece.has_slot) text += words(piece.field, value_of(values, piece), language);
  }
  return text;
}

bool match(const Pattern& pattern, std::string_view text, SlotValues& values, Language language) {
  return match_from(pattern, 0, text, values, language);
}

std::string_view place_phrase(Cell cell, Language language) {
  static constexpr std::array<std::string_view, kCells> kEnglish = {
      "at the top left",    "at the top",    "at the top right",
      "on the left",        "in the center", "on the right",
      "at the bottom left", "at the bottom", "at the bottom right"};
  if (language == Language::chinese) return place_words(cell, language);
  return kEnglish[static_cast<std::size_t>(cell)];
}

}  // namespace tarsier
