#include "tarsier/synth/event_match.h"

#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/sound_words.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {

ParsedEvent told_event(const Event& event) {
  return {.kind = event.kind,
          .actor = event.actor,
          .partner = event.partner,
          .direction = event.direction,
          .to_colour = event.to_colour,
          .to_background = event.to_background,
          .to_count = event.to_count};
}

ParsedEvent told_sound(const Clip& clip, const ClipSound& sound) {
  const Event* event = event_of(clip, sound);
  ParsedEvent told = event == nullptr ? ParsedEvent{} : told_event(*event);
  told.sound = sound.kind;
  told.tied = event != nullptr;
  return told;
}

std::vector<ParsedEvent> told_events(const Clip& clip) {
  std::vector<ParsedEvent> told;
  for (const Happening& each : happenings(clip.events, clip.sounds))
    told.push_back(each.event != nullptr ? told_event(*each.event) : told_sound(clip, *each.sound));
  return told;
}

bool same_event(const ParsedEvent& a, const ParsedEvent& b) {
  if (a.sound != b.sound || a.tied != b.tied) return false;
  if (a.sound && !a.tied) return true;
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case EventKind::cut:
      return a.to_background == b.to_background;
    case EventKind::swap:
      return (same_name(a.actor, b.actor) && same_name(a.partner, b.partner)) ||
             (same_name(a.actor, b.partner) && same_name(a.partner, b.actor));
    case EventKind::appear:
      return a.actor == b.actor;
    case EventKind::move:
    case EventKind::bounce:
    case EventKind::walk:
      return same_name(a.actor, b.actor) && a.direction == b.direction;
    case EventKind::touch:
    case EventKind::hide:
      return same_name(a.actor, b.actor) && same_name(a.partner, b.partner);
    case EventKind::follow:
      return same_name(a.actor, b.actor) && same_name(a.partner, b.partner) &&
             a.direction == b.direction;
    case EventKind::recount:
      return same_name(a.actor, b.actor) && a.to_count == b.to_count;
    case EventKind::recolour:
      return same_name(a.actor, b.actor) && a.to_colour == b.to_colour;
    default:
      return same_name(a.actor, b.actor);
  }
}

std::string told_clause(const ParsedEvent& event, Language language) {
  Event told;
  told.kind = event.kind;
  told.actor = event.actor;
  told.partner = event.partner;
  told.direction = event.direction;
  told.to_colour = event.to_colour;
  told.to_background = event.to_background;
  told.to_count = event.to_count;
  if (event.sound) return sound_clause(*event.sound, event.tied ? &told : nullptr, language);
  return event_clause(told, language);
}

std::vector<std::int64_t> match_events(const std::vector<ParsedEvent>& truths,
                                       const std::vector<ParsedEvent>& claims) {
  return match_one_to_one(truths, claims, same_event);
}

}  // namespace tarsier
