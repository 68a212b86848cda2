#include "tarsier/synth/languages/table.h"

#include "tarsier/base/error.h"

namespace tarsier {

const LanguageTable& table(Language language) {
  static const std::array<const LanguageTable*, kLanguages.size()> all = {
      &english_table(), &chinese_table(), &spanish_table()};
  return *all[static_cast<std::size_t>(language)];
}

Language language_named(std::string_view name) {
  for (const Language language : kLanguages) {
    if (table(language).name == name) return language;
  }
  throw ConfigError(
      {"language", "no language is named '" + std::string(name) + "'", "use " + language_names()});
}

std::string language_names() {
  std::string names;
  for (std::size_t i = 0; i < kLanguages.size(); ++i) {
    if (i > 0) names += i + 1 == kLanguages.size() ? " or " : ", ";
    names += table(kLanguages[i]).name;
  }
  return names;
}

const Prompts& prompts(Language language) { return table(language).prompts; }
const QuestionWords& question_words(Language language) { return table(language).questions; }
const SoundWords& sound_words(Language language) { return table(language).sounds; }

}  // namespace tarsier
