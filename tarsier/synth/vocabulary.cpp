#include "tarsier/synth/vocabulary.h"

#include <array>

#include "tarsier/synth/languages/table.h"

namespace tarsier {

std::string_view word(Shape shape, Language language) {
  return table(language).shapes[static_cast<std::size_t>(shape)];
}
std::string_view word(Colour colour, Language language) {
  return table(language).colours[0][static_cast<std::size_t>(colour)];
}
std::string_view word(ShapeSize size, Language language) {
  return table(language).sizes[0][static_cast<std::size_t>(size)];
}
std::string_view word(Background background, Language language) {
  return table(language).backgrounds[static_cast<std::size_t>(background)];
}
std::string_view word(Direction direction, Language language) {
  return table(language).directions[static_cast<std::size_t>(direction)];
}
std::string_view place_words(Cell cell, Language language) {
  return table(language).places[static_cast<std::size_t>(cell)];
}
std::string_view count_word(int count, Language language) {
  return table(language).counts[static_cast<std::size_t>(count)];
}

std::string_view name_of(EventKind kind) {
  static constexpr std::array<std::string_view, kAllEventKinds> kNames = {
      "appear", "disappear", "move",   "grow", "shrink", "recolour", "spin", "jump", "swap",
      "cut",    "touch",     "bounce", "hide", "follow", "recount",  "walk", "wave", "fall"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view name_of(SoundKind kind) {
  static constexpr std::array<std::string_view, kSoundKinds> kNames = {
      "low tone",   "high tone", "two beeps",    "three beeps",
      "four beeps", "click",     "rising sweep", "falling sweep"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view name_of(Split split) {
  static constexpr std::array<std::string_view, 3> kNames = {"train", "validation", "test"};
  return kNames[static_cast<std::size_t>(split)];
}

std::vector<std::string> visual_words(const Look& look, Language language) {
  std::vector<std::string> words = {std::string(word(look.colour, language)),
                                    std::string(word(look.shape, language)),
                                    std::string(word(look.size, language))};
  const std::string_view place = place_words(look.cell, language);
  const std::size_t space = place.find(' ');
  words.emplace_back(place.substr(0, space));
  if (space != std::string_view::npos) words.emplace_back(place.substr(space + 1));
  return words;
}

std::string background_word(Background background, Language language) {
  return std::string(word(background, language));
}

}  // namespace tarsier
