#include "tarsier/synth/phrasing.h"

#include "tarsier/synth/claims.h"
#include "tarsier/synth/phrases.h"
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
          .objects = {}};
}

const std::vector<Pattern>& patterns_of(const Event& event, Language language) {
  return phrases(language).events[static_cast<std::size_t>(event.kind)];
}

std::string sentence(std::string clause, Language language) {
  if (clause[0] >= 'a' && clause[0] <= 'z') clause[0] = static_cast<char>(clause[0] - 'a' + 'A');
  return clause + phrases(language).stop;
}

std::string opening_sentence(const Clip& clip, Language language, Random& random) {
  const Pattern& pattern = random.pick(phrases(language).openings[clip.opening.size()]);
  SlotValues values;
  values.background = clip.background;
  values.objects = clip.opening;
  return sentence(fill(pattern, values, language), language);
}

std::string any_clause(const Event& event, Language language, Random& random) {
  return fill(random.pick(patterns_of(event, language)), values_of(event), language);
}

}  // namespace

std::string describe(const Clip& clip, Language language, Random& random) {
  std::string text = opening_sentence(clip, language, random);
  for (std::size_t i = 0; i < clip.events.size(); ++i) {
    const bool then = i > 0 && random.chance(0.5);
    const std::string clause = any_clause(clip.events[i], language, random);
    text += phrases(language).space +
            sentence(then ? phrases(language).then + clause : clause, language);
  }
  return text;
}

std::string describe_with_intervals(const Clip& clip, std::span<const double> frame_seconds,
                                    Language language, Random& random) {
  std::string text = opening_sentence(clip, language, random);
  for (const Event& event : clip.events) {
    text += frame_marker(frame_interval(event, frame_seconds));
    text += sentence(any_clause(event, language, random), language);
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
  const std::string ground(word(background, language));
  std::string list;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    if (i > 0)
      list += language == Language::chinese ? "和" : i + 1 == looks.size() ? " and " : ", ";
    list += with_article(looks[i], language);
  }
  if (!says_background) return list;
  return language == Language::chinese ? ground + "背景上的" + list
                                       : list + " on a " + ground + " background";
}

std::string frame_marker(FrameInterval interval) {
  const std::string first = std::to_string(interval.first + 1);
  if (interval.first == interval.last) return "<frame: " + first + ">";
  return "<frame: " + first + "-" + std::to_string(interval.last + 1) + ">";
}

std::string event_clause(const Event& event, Language language) {
  return fill(patterns_of(event, language)[0], values_of(event), language);
}

std::string object_name(const Look& look, Language language) {
  const std::string space = language == Language::english ? " " : "";
  return std::string(word(look.colour, language)) + space + std::string(word(look.shape, language));
}

std::string with_article(const Look& look, Language language) {
  if (language == Language::chinese) return object_name(look, language);
  return (look.colour == Colour::orange ? "an " : "a ") + object_name(look, language);
}

}  // namespace tarsier
