#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tarsier/synth/world.h"

namespace tarsier {

/// The words for the world's values, as descriptions use them; of several forms the first.
std::string_view word(Shape shape, Language language);
std::string_view word(Colour colour, Language language);
std::string_view word(ShapeSize size, Language language);
std::string_view word(Background background, Language language);
std::string_view word(Direction direction, Language language);  // not for Direction::none
std::string_view place_words(Cell cell, Language language);     // "top left", "center"
std::string_view count_word(int count, Language language);      // of a group: "two" to "five"
std::string_view name_of(EventKind kind);                       // "appear"; for logs and JSON
std::string_view name_of(SoundKind kind);                       // "low tone"
std::string_view name_of(Split split);                          // "train"

/// The words that say what a look is: {"red", "circle", "big", "top", "left"}; cells give one or
/// two words
/// ("top" alone is the middle of the top row, "center" the middle cell).
std::vector<std::string> visual_words(const Look& look, Language language = Language::english);
std::string background_word(Background background, Language language = Language::english);

/// Text to train a tokenizer on, so that each word of the world becomes one token: sentences in
/// languages with spaces (a splitter cuts at them), single words and phrases in Chinese, where a
/// run of characters has no spaces. Holds the words of every silent level, and the prompts;
/// `with_sounds`: behind these also texts of the levels with sound.
std::vector<std::string> corpus(Language language, bool with_sounds = false);

}  // namespace tarsier
