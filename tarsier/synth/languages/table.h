#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/synth/prompts.h"
#include "tarsier/synth/question_words.h"
#include "tarsier/synth/sound_words.h"
#include "tarsier/synth/world.h"

namespace tarsier {

/// Everything the world says in one language. A new language is one file with such a table, an
/// enumerator of Language and a line in table.cpp; descriptions, the grammar that reads them back,
/// questions, captions and prompts follow.
///
/// Phrases are patterns with slots in braces, without capital and stop. Of an object: {x.colour},
/// {x.shape}, {x.size}, the plurals {x.colours}, {x.shapes}, {x.sizes}, {x.one} and {x.the} (the
/// shape with its article), {x.article} (the one that goes with the colour), {x.count}, {x.place};
/// x is `actor` or `partner`, and # stands for it in the noun phrases below, of which {actor} and
/// {partner} alone are `the` or `the_group`. Of an event: {direction}, {edge}, {to}, {to_count},
/// {background}. Where adjectives agree with the noun, the noun's slot stands before theirs.
struct LanguageTable {
  std::string_view name, code;  // "english", "en"

  // Words, by value of the world's enumerations.
  std::array<std::string_view, kAllShapes> shapes, plural_shapes;
  std::array<std::string_view, kAllShapes> one_shape, the_shape;  // where patterns use them
  std::array<bool, kAllShapes> feminine;
  // One form, or four: masculine, feminine, and the plurals of these.
  std::vector<std::array<std::string_view, kColours>> colours;
  std::vector<std::array<std::string_view, kSizes>> sizes;
  std::array<std::string_view, kColours> articles;  // where patterns use them
  std::array<std::string_view, kBackgrounds> backgrounds;
  std::array<std::string_view, 5> directions, edges;  // by Direction, the first unused
  std::array<std::string_view, kCells> places;        // "top left"
  std::array<std::string_view, kCells> at_places;     // "at the top left"
  std::array<std::string_view, kMostInGroup + 1> counts;

  // Noun phrases: with the indefinite article, the definite one, none; `many`: of a group's
  // members; `item`: in the opening scene.
  std::string_view one, one_group, the, the_group, bare, bare_group, many, item, item_group;

  // Sentences. {objects} stands for the list of items.
  std::array<std::vector<std::string_view>, kAllEventKinds> events;
  std::vector<std::string_view> openings;
  std::string_view comma, last_comma;  // between the list's items; before the last one
  std::string_view then, meanwhile;    // may stand before an event: after another, beside it
  std::string_view stop, space;        // ends a sentence; between sentences

  // Captions.
  std::string_view caption_comma, caption_last_comma;
  std::string_view on_background;            // {objects}, {background}
  std::vector<std::string_view> web_frames;  // {text}: what a web page has around a caption

  QuestionWords questions;
  Prompts prompts;
  SoundWords sounds;
  // What sentences are made of besides the words above, for cutting them into words; empty in a
  // language that puts spaces between words.
  std::vector<std::string_view> particles;
};

const LanguageTable& table(Language language);

const LanguageTable& english_table();
const LanguageTable& chinese_table();
const LanguageTable& spanish_table();

/// The language of that name ("english"). Throws ConfigError that lists the names.
Language language_named(std::string_view name);
/// "english, chinese or spanish".
std::string language_names();

}  // namespace tarsier
