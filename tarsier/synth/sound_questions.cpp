#include "tarsier/synth/sound_questions.h"

#include <algorithm>
#include <utility>

#include "tarsier/synth/claims.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/question_words.h"
#include "tarsier/synth/sound_claims.h"
#include "tarsier/synth/sound_words.h"
#include "tarsier/synth/sounds.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

class SoundAsker {
 public:
  SoundAsker(const Clip& clip, Language language, Random& random)
      : clip_(clip), language_(language), random_(random), words_(sound_words(language)) {}

  std::vector<Question> ask() {
    std::vector<ClipSound> sounds = clip_.sounds;
    random_.shuffle(sounds);
    ask_which(sounds);
    ask_beeps();
    ask_is_heard(sounds);
    ask_with_sound(sounds);
    return std::move(questions_);
  }

 private:
  void add(const char* kind, std::string question, std::string answer) {
    questions_.push_back({kind, std::move(question), std::move(answer)});
  }

  std::string fill(std::string_view words, const ClipSound& sound) const {
    const Event* event = event_of(clip_, sound);
    return put(std::string(words),
               {{"{sound}", sound_name(sound.kind, language_)},
                {"{clause}", event == nullptr ? "" : event_clause(*event, language_)}});
  }
  std::string fill(const SoundWords::Forms& forms, const ClipSound& sound) const {
    return fill(form_for(sound.kind, forms), sound);
  }

  // Its event is told by its clause alone, and no other sound is heard meanwhile.
  bool has_event_of_its_own(const ClipSound& sound) const {
    const Event* event = event_of(clip_, sound);
    if (event == nullptr || times_true(clip_, *event) != 1) return false;
    return std::count_if(clip_.sounds.begin(), clip_.sounds.end(), [&](const ClipSound& other) {
             return other.start <= event->end && other.end >= event->start;
           }) == 1;
  }

  // Its kind is heard once, during its event and no other.
  bool is_known_by_its_kind(const ClipSound& sound) const {
    return sound.event >= 0 && events_between(clip_, sound.start, sound.end).size() == 1 &&
           std::count_if(clip_.sounds.begin(), clip_.sounds.end(),
                         [&](const ClipSound& other) { return other.kind == sound.kind; }) == 1;
  }

  void ask_which(const std::vector<ClipSound>& sounds) {
    for (const ClipSound& sound : sounds) {
      if (has_event_of_its_own(sound))
        add("which_sound", fill(words_.which, sound), sound_name(sound.kind, language_));
    }
  }

  void ask_beeps() {
    int beeps = 0;
    for (const ClipSound& sound : clip_.sounds) beeps += beeps_in(sound.kind);
    add("beeps", std::string(words_.beeps), std::to_string(beeps));
  }

  std::string is_heard(const ClipSound& sound, bool with_event) const {
    return fill(with_event ? words_.is_heard_with : words_.is_heard, sound);
  }

  void add_pair(const ClipSound& truth, const ClipSound& untruth, bool with_event) {
    const QuestionWords& words = question_words(language_);
    const bool yes_first = random_.chance(0.5);
    if (yes_first) add("is_heard", is_heard(truth, with_event), words.yes);
    add("is_heard", is_heard(untruth, with_event), words.no);
    if (!yes_first) add("is_heard", is_heard(truth, with_event), words.yes);
  }

  // One pair about a sound alone, one about a sound and its event, as far as there is one.
  void ask_is_heard(const std::vector<ClipSound>& sounds) {
    ClipSound absent = sounds[0];
    absent.kind = false_kind(clip_, sounds[0].kind, random_.chance(0.5), random_);
    add_pair(sounds[0], absent, false);
    const auto tied = std::find_if(sounds.begin(), sounds.end(),
                                   [](const ClipSound& sound) { return sound.event >= 0; });
    if (tied != sounds.end()) add_pair(*tied, false_sound(clip_, *tied, random_), true);
  }

  void ask_with_sound(const std::vector<ClipSound>& sounds) {
    for (const ClipSound& sound : sounds) {
      if (is_known_by_its_kind(sound))
        add("with_sound", fill(words_.with_sound, sound),
            event_clause(*event_of(clip_, sound), language_));
    }
  }

  const Clip& clip_;
  Language language_;
  Random& random_;
  const SoundWords& words_;
  std::vector<Question> questions_;
};

}  // namespace

std::vector<Question> sound_questions(const Clip& clip, Language language, Random& random) {
  if (clip.sounds.empty()) return {};
  return SoundAsker(clip, language, random).ask();
}

}  // namespace tarsier
