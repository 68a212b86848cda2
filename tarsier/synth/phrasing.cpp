#include "tarsier/synth/phrasing.h"

#include <utility>

#include "tarsier/synth/claims.h"
#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/phrases.h"
#include "tarsier/synth/question_words.h"
#include "tarsier/synth/sound_words.h"
#include "tarsier/synth/timeline.h"
#include "tarsier/synth/vocabulary.h"

namespace tarsier {
namespace {

SlotValues values_of(const Event& event) {
  return {.actor = event.actor,
          .partner = event.partner,
          .direction = event.direction,
          .to_colour = event.to_colour,
          .background = event.to_background,
          .to_count = event.to_count,
          .objects = {}};
}

SlotValues actor_values(const Look& look) {
  SlotValues values;
  values.actor = look;
  return values;
}

const std::vector<Phrase>& phrases_of(const Event& event, Language language) {
  return phrases(language).events[static_cast<std::size_t>(event.kind)];
}

std::string opening_sentence(const Clip& clip, Language language, Random& random) {
  const Phrase& phrase = random.pick(phrases(language).openings[clip.opening.size()]);
  SlotValues values;
  values.background = clip.background;
  values.objects = clip.opening;
  return as_sentence(fill(phrase, values, language), language);
}

std::string any_sound_clause(const Clip& clip, const ClipSound& sound, Language language,
                             Random& random) {
  return any_sound_clause(sound.kind, event_of(clip, sound), language, random);
}

}  // namespace

std::string as_sentence(std::string clause, Language language) {
  if (clause[0] >= 'a' && clause[0] <= 'z') clause[0] = static_cast<char>(clause[0] - 'a' + 'A');
  return clause.append(table(language).stop);
}

std::string describe(const Clip& clip, Language language, Random& random) {
  return describe_told(clip, clip.events, clip.sounds, language, random);
}

std::string describe_told(const Clip& clip, std::span<const Event> events,
                          std::span<const ClipSound> sounds, Language language, Random& random) {
  const LanguageTable& words = table(language);
  std::string text = opening_sentence(clip, language, random);
  const Event* before = nullptr;
  for (const Happening& each : happenings(events, sounds)) {
    std::string clause;
    if (each.sound != nullptr) {
      clause = any_sound_clause(clip, *each.sound, language, random);
    } else {
      if (before != nullptr && random.chance(0.5))
        clause = each.start < before->end ? words.meanwhile : words.then;
      clause += any_clause(*each.event, language, random);
      before = each.event;
    }
    text.append(words.space).append(as_sentence(std::move(clause), language));
  }
  return text;
}

std::string describe_with_intervals(const Clip& clip, std::span<const double> frame_seconds,
                                    Language language, Random& random) {
  std::string text = opening_sentence(clip, language, random);
  for (const Happening& each : happenings(clip.events, clip.sounds)) {
    text += frame_marker(frame_interval(each.start, each.end, frame_seconds));
    text +=
        as_sentence(each.event != nullptr ? any_clause(*each.event, language, random)
                                          : any_sound_clause(clip, *each.sound, language, random),
                    language);
  }
  return text;
}

std::string short_caption(const Clip& clip, Language language, Random& random, double wrong_rate) {
  const bool wrong = random.chance(wrong_rate);
  if (random.chance(0.5)) {
    const Event event = random.pick(clip.events);
    return any_clause(wrong ? false_claim(clip, event, true, random) : event, language, random);
  }
  std::vector<Look> looks = clip.opening;
  Background background = clip.background;
  if (random.chance(0.3)) looks.resize(1);
  const bool says_background = random.chance(0.7);
  if (wrong) {
    if (says_background && random.chance(0.3)) {
      background = static_cast<Background>(
          (static_cast<int>(background) + random.integer(1, kBackgrounds - 1)) % kBackgrounds);
    } else {
      Look& look = looks[static_cast<std::size_t>(
          random.integer(0, static_cast<std::int64_t>(looks.size()) - 1))];
      look = false_name(clip, look, true, random);
    }
  }
  const std::string list = object_list(looks, language);
  if (!says_background) return list;
  return put(std::string(table(language).on_background),
             {{"{objects}", list}, {"{background}", word(background, language)}});
}

std::string object_list(const std::vector<Look>& looks, Language language) {
  const LanguageTable& words = table(language);
  std::string list;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    if (i > 0) list += i + 1 == looks.size() ? words.caption_last_comma : words.caption_comma;
    list += with_article(looks[i], language);
  }
  return list;
}

std::string frame_marker(FrameInterval interval) {
  const std::string first = std::to_string(interval.first + 1);
  if (interval.first == interval.last) return "<frame: " + first + ">";
  return "<frame: " + first + "-" + std::to_string(interval.last + 1) + ">";
}

std::string event_clause(const Event& event, Language language) {
  return fill(phrases_of(event, language)[0], values_of(event), language);
}

std::string any_clause(const Event& event, Language language, Random& random) {
  return fill(random.pick(phrases_of(event, language)), values_of(event), language);
}

std::string object_name(const Look& look, Language language) {
  return fill(phrases(language).bare, actor_values(look), language);
}

std::string with_article(const Look& look, Language language) {
  return fill(phrases(language).one, actor_values(look), language);
}

std::string with_definite_article(const Look& look, Language language) {
  return fill(phrases(language).the, actor_values(look), language);
}

std::string members_name(const Look& look, Language language) {
  return fill(phrases(language).many, actor_values(look), language);
}

}  // namespace tarsier
