#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "tarsier/synth/questions.h"

namespace tarsier {

/// What is asked of clips with sounds besides kQuestionKinds: which sound is heard when an event
/// happens, how many beeps there are, whether a sound is heard (at all, or when an event happens: a
/// probe, in balanced pairs), and what happens when a sound is heard.
inline constexpr std::array<std::string_view, 4> kSoundQuestionKinds = {"which_sound", "beeps",
                                                                        "is_heard", "with_sound"};

/// In that order, those that have one answer; of a clip without sounds none. Answers are a sound's
/// name, a number, yes or no, an event's clause. A sound that only happens to be heard during an
/// event is never denied of it.
std::vector<Question> sound_questions(const Clip& clip, Language language, Random& random);

}  // namespace tarsier
