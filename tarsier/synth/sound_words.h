#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/base/random.h"
#include "tarsier/synth/world.h"

namespace tarsier {

/// How a language tells sounds and asks about them. {sound} stands for a sound's name, {clause} for
/// an event. What agrees with the number has a form for one sound and a form for beeps.
struct SoundWords {
  using Forms = std::array<std::string_view, 2>;
  std::array<std::string_view, kSoundKinds> names;  // "a low tone"
  std::vector<Forms> alone;                         // {sound}
  std::vector<Forms> with_event;                    // {sound}, {clause}
  // Questions.
  std::string_view which;                   // is heard at {clause}
  std::string_view beeps;                   // how many
  Forms is_heard;                           // {sound}
  Forms is_heard_with;                      // {sound}, {clause}
  Forms with_sound;                         // what happens at {sound}
  std::vector<std::string_view> particles;  // as LanguageTable's, besides those
};

const SoundWords& sound_words(Language language);

/// "a low tone", "three beeps".
std::string sound_name(SoundKind kind, Language language);
/// The one of the two forms that goes with a sound.
std::string_view form_for(SoundKind kind, const SoundWords::Forms& forms);

/// A sound as a clause without capital and stop, in the first phrasing: "three beeps are heard"; of
/// one that goes with an event "a low tone sounds when the red circle jumps" (null: with none).
std::string sound_clause(SoundKind kind, const Event* event, Language language);
/// The same in any of its phrasings, and of the event's.
std::string any_sound_clause(SoundKind kind, const Event* event, Language language, Random& random);

/// A phrasing of one kind of sound: what stands before and behind the event's clause, or all of it
/// where there is none. For reading sentences back.
struct SoundForm {
  SoundKind kind = SoundKind::click;
  bool tied = false;
  std::string before, after;
};
const std::vector<SoundForm>& sound_forms(Language language);

}  // namespace tarsier
