#include "tarsier/synth/sound_words.h"

#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/question_words.h"
#include "tarsier/synth/sounds.h"

namespace tarsier {
namespace {

constexpr std::string_view kClause = "{clause}";

std::string with_name(SoundKind kind, const SoundWords::Forms& forms, Language language) {
  return put(std::string(form_for(kind, forms)), {{"{sound}", sound_name(kind, language)}});
}

std::vector<SoundForm> make_forms(Language language) {
  const SoundWords& words = sound_words(language);
  std::vector<SoundForm> forms;
  for (int value = 0; value < kSoundKinds; ++value) {
    const auto kind = static_cast<SoundKind>(value);
    for (const SoundWords::Forms& phrase : words.alone)
      forms.push_back({kind, false, with_name(kind, phrase, language), ""});
    for (const SoundWords::Forms& phrase : words.with_event) {
      const std::string text = with_name(kind, phrase, language);
      const std::size_t at = text.find(kClause);
      forms.push_back({kind, true, text.substr(0, at), text.substr(at + kClause.size())});
    }
  }
  return forms;
}

}  // namespace

std::string sound_name(SoundKind kind, Language language) {
  return std::string(sound_words(language).names[static_cast<std::size_t>(kind)]);
}

std::string_view form_for(SoundKind kind, const SoundWords::Forms& forms) {
  return forms[beeps_in(kind) > 0 ? 1 : 0];
}

std::string sound_clause(SoundKind kind, const Event* event, Language language) {
  const SoundWords& words = sound_words(language);
  if (event == nullptr) return with_name(kind, words.alone[0], language);
  return put(with_name(kind, words.with_event[0], language),
             {{kClause, event_clause(*event, language)}});
}

std::string any_sound_clause(SoundKind kind, const Event* event, Language language,
                             Random& random) {
  const SoundWords& words = sound_words(language);
  if (event == nullptr) return with_name(kind, random.pick(words.alone), language);
  const std::string text = with_name(kind, random.pick(words.with_event), language);
  return put(text, {{kClause, any_clause(*event, language, random)}});
}

const std::vector<SoundForm>& sound_forms(Language language) {
  static const std::array<std::vector<SoundForm>, kLanguages.size()> all = [] {
    std::array<std::vector<SoundForm>, kLanguages.size()> made;
    for (const Language each : kLanguages) made[static_cast<std::size_t>(each)] = make_forms(each);
    return made;
  }();
  return all[static_cast<std::size_t>(language)];
}

}  // namespace tarsier
