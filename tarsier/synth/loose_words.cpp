#include "tarsier/synth/loose_words.h"

#include <algorithm>

#include "tarsier/synth/claims.h"
#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/sound_claims.h"
#include "tarsier/synth/sound_words.h"
#include "tarsier/synth/timeline.h"
#include "tarsier/synth/vocabulary.h"

namespace tarsier {
namespace {

// Drops each item with that probability; one stays.
template <class Item>
std::vector<Item> thinned(const std::vector<Item>& items, double leave_out, Random& random) {
  std::vector<Item> left;
  for (const Item& item : items) {
    if (!random.chance(leave_out)) left.push_back(item);
  }
  if (left.empty()) left.push_back(random.pick(items));
  return left;
}

std::string say_event(const Clip& clip, bool wrong, Language language, Random& random,
                      LooseText& loose) {
  const Event truth = random.pick(clip.events);
  const Event said = wrong ? false_claim(clip, truth, true, random) : truth;
  const std::string clause = any_clause(said, language, random);
  if (wrong) loose.flaws.push_back({"event", clause, event_clause(truth, language)});
  loose.left_out = static_cast<std::int64_t>(clip.opening.size() + clip.events.size()) - 1;
  return clause;
}

std::string say_scene(const Clip& clip, bool wrong, double leave_out, Language language,
                      Random& random, LooseText& loose) {
  std::vector<Look> looks = thinned(clip.opening, leave_out, random);
  loose.left_out =
      static_cast<std::int64_t>(clip.opening.size() + clip.events.size() - looks.size());
  Background background = clip.background;
  const bool says_background = random.chance(0.5);
  if (wrong && says_background && random.chance(0.3)) {
    background = static_cast<Background>(
        (static_cast<int>(background) + random.integer(1, kBackgrounds - 1)) % kBackgrounds);
    loose.flaws.push_back({"background", std::string(word(background, language)),
                           std::string(word(clip.background, language))});
  } else if (wrong) {
    Look& look = looks[static_cast<std::size_t>(
        random.integer(0, static_cast<std::int64_t>(looks.size()) - 1))];
    const Look said = false_name(clip, look, true, random);
    loose.flaws.push_back({"object", object_name(said, language), object_name(look, language)});
    look = said;
  }
  const std::string list = object_list(looks, language);
  if (!says_background) return list;
  return put(std::string(table(language).on_background),
             {{"{objects}", list}, {"{background}", word(background, language)}});
}

std::string clause_of(const Clip& clip, const ClipSound& sound, Language language) {
  return sound_clause(sound.kind, event_of(clip, sound), language);
}

// The clip's sounds, some left out and some invented, by start.
std::vector<ClipSound> flawed_sounds(const Clip& clip, Language language, Random& random,
                                     const FlawRates& rates, LooseText& loose) {
  std::vector<ClipSound> told;
  for (const ClipSound& truth : clip.sounds) {
    if (random.chance(rates.omit)) {
      ++loose.left_out;
    } else {
      told.push_back(truth);
    }
    if (!random.chance(rates.invent)) continue;
    told.push_back(false_sound(clip, truth, random));
    loose.flaws.push_back(
        {"sound", clause_of(clip, told.back(), language), clause_of(clip, truth, language)});
  }
  std::stable_sort(told.begin(), told.end(),
                   [](const ClipSound& a, const ClipSound& b) { return a.start < b.start; });
  return told;
}

}  // namespace

LooseText web_caption(const Clip& clip, Language language, Random& random, const WebRates& rates) {
  LooseText loose;
  const bool wrong = random.chance(rates.wrong);
  const std::string said = !clip.events.empty() && random.chance(0.5)
                               ? say_event(clip, wrong, language, random, loose)
                               : say_scene(clip, wrong, rates.leave_out, language, random, loose);
  loose.text = put(std::string(random.pick(table(language).web_frames)), {{"{text}", said}});
  return loose;
}

LooseText drifting_commentary(const Clip& clip, std::span<const double> frame_seconds,
                              Language language, Random& random, const DriftRates& rates) {
  LooseText loose;
  const double drift = random.uniform(-rates.seconds, rates.seconds);
  const std::vector<Event> events = thinned(clip.events, rates.leave_out, random);
  loose.left_out =
      static_cast<std::int64_t>(clip.opening.size() + clip.events.size() - events.size());
  for (const Event& event : events) {
    Event shifted = event;
    const double by = drift + random.uniform(-rates.jitter, rates.jitter);
    shifted.start = std::clamp(event.start + by, 0.0, clip.seconds);
    shifted.end = std::clamp(event.end + by, 0.0, clip.seconds);
    const FrameInterval said = frame_interval(shifted, frame_seconds),
                        truth = frame_interval(event, frame_seconds);
    if (said != truth) loose.flaws.push_back({"time", frame_marker(said), frame_marker(truth)});
    loose.text += frame_marker(said);
    loose.text += as_sentence(any_clause(event, language, random), language);
  }
  return loose;
}

LooseText flawed_description(const Clip& clip, Language language, Random& random,
                             const FlawRates& rates) {
  LooseText loose;
  std::vector<Event> told;
  if (!clip.events.empty()) told = thinned(clip.events, rates.omit, random);
  loose.left_out = static_cast<std::int64_t>(clip.events.size() - told.size());
  for (const Event& truth : clip.events) {
    if (!random.chance(rates.invent)) continue;
    Event invented = false_claim(clip, truth, true, random);
    invented.start = truth.start;
    invented.end = truth.end;
    loose.flaws.push_back(
        {"event", event_clause(invented, language), event_clause(truth, language)});
    told.push_back(invented);
  }
  std::stable_sort(told.begin(), told.end(), comes_before);
  const std::vector<ClipSound> sounds = flawed_sounds(clip, language, random, rates, loose);
  loose.text = describe_told(clip, told, sounds, language, random);
  return loose;
}

}  // namespace tarsier
