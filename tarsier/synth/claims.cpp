#include "tarsier/synth/claims.h"

#include <algorithm>
#include <array>

#include "tarsier/synth/scene.h"

namespace tarsier {
namespace {

template <class Value>
Value other_than(Value value, int count, Random& random) {
  return static_cast<Value>((static_cast<int>(value) + random.integer(1, count - 1)) % count);
}

Direction any_direction(EventKind kind, Random& random) {  // figures walk left or right
  return static_cast<Direction>(random.integer(1, kind == EventKind::walk ? 2 : 4));
}

bool is_of_figures(EventKind kind) {
  return kind == EventKind::walk || kind == EventKind::wave || kind == EventKind::fall;
}

int other_count(int count, Random& random) {
  const int counts = kMostInGroup - kLeastInGroup + 1;
  if (count < kLeastInGroup)  // of a group whose number nobody said
    return static_cast<int>(random.integer(kLeastInGroup, kMostInGroup));
  return kLeastInGroup +
         static_cast<int>((count - kLeastInGroup + random.integer(1, counts - 1)) % counts);
}

// Fills in whatever argument a claim's kind needs, so that it could be true of its actor.
void complete(Event& claim, const Clip& clip, Random& random) {
  claim.direction = has_direction(claim.kind) ? any_direction(claim.kind, random) : Direction::none;
  if (claim.kind == EventKind::recount) claim.to_count = other_count(claim.actor.count, random);
  claim.to_colour = other_than(claim.actor.colour, kColours, random);
  claim.to_background = static_cast<Background>(random.integer(0, kBackgrounds - 1));
  std::vector<Look> partners;
  for (const Look& look : names_in(clip)) {
    if (!same_name(look, claim.actor)) partners.push_back(look);
  }
  claim.partner = partners.empty() ? claim.actor : random.pick(partners);
  if (partners.empty()) claim.partner.colour = other_than(claim.actor.colour, kColours, random);
}

bool turns_unseen(const Event& claim) {  // nobody can tell whether a circle spins
  return claim.kind == EventKind::spin &&
         (claim.actor.shape == Shape::circle || claim.actor.shape == Shape::ring);
}

// The number of shapes an object like this one might have had instead.
int shapes_like(const Look& look, const Clip& clip) {
  return is_group(look) ? kShapes : clip.shapes;
}

void change_actor(Event& claim, const Clip& clip, Random& random) {
  std::vector<Look> others;
  for (const Look& look : names_in(clip)) {
    if (!same_name(look, claim.actor) && !same_name(look, claim.partner)) others.push_back(look);
  }
  const std::int64_t choice = random.integer(0, others.empty() ? 1 : 3);
  if (choice == 0) {
    claim.actor.colour = other_than(claim.actor.colour, kColours, random);
  } else if (choice == 1) {
    claim.actor.shape = other_than(claim.actor.shape, shapes_like(claim.actor, clip), random);
  } else {
    const Look other = random.pick(others);
    claim.actor.colour = other.colour;
    claim.actor.shape = other.shape;
    claim.actor.count = other.count;
  }
}

void change_argument(Event& claim, const Clip& clip, Random& random) {
  switch (claim.kind) {
    case EventKind::move:
    case EventKind::bounce:
    case EventKind::follow:
    case EventKind::walk:
      claim.direction = any_direction(claim.kind, random);
      break;
    case EventKind::recount:
      claim.to_count = other_count(claim.to_count, random);
      break;
    case EventKind::recolour:
      claim.to_colour = other_than(claim.to_colour, kColours, random);
      break;
    case EventKind::cut:
      claim.to_background = other_than(claim.to_background, kBackgrounds, random);
      break;
    case EventKind::swap:
    case EventKind::touch:
    case EventKind::hide:
      claim.partner.colour = other_than(claim.partner.colour, kColours, random);
      break;
    default:
      change_actor(claim, clip, random);
      break;
  }
}

void change_kind(Event& claim, const Clip& clip, Random& random) {
  std::vector<EventKind> kinds = {EventKind::disappear, EventKind::move,     EventKind::grow,
                                  EventKind::shrink,    EventKind::recolour, EventKind::spin,
                                  EventKind::jump};
  if (clip.event_kinds > kEventKinds) {
    for (const EventKind kind :
         {EventKind::touch, EventKind::bounce, EventKind::hide, EventKind::follow})
      kinds.push_back(kind);
    if (is_group(claim.actor)) kinds.push_back(EventKind::recount);
    if (claim.actor.shape == Shape::figure) {
      for (const EventKind kind : {EventKind::walk, EventKind::wave, EventKind::fall})
        kinds.push_back(kind);
    }
  }
  claim.kind = random.pick(kinds);
  complete(claim, clip, random);
}

bool goes_somewhere(EventKind kind) {
  return kind == EventKind::touch || kind == EventKind::bounce || kind == EventKind::hide ||
         kind == EventKind::follow || kind == EventKind::walk;
}

// What no event says in so many words, but an event of another kind shows: who bounces, moves; who
// hides behind something or is touched by it, touches it; a group that gains members grows.
bool looks_true(const Event& claim, const Clip& clip) {
  if (is_group(claim.actor) && (claim.kind == EventKind::grow || claim.kind == EventKind::shrink))
    return true;
  return std::any_of(clip.events.begin(), clip.events.end(), [&](const Event& event) {
    if (claim.kind == EventKind::move) {
      const bool leads = event.kind == EventKind::follow && same_name(claim.actor, event.partner);
      return leads || (goes_somewhere(event.kind) && same_name(claim.actor, event.actor));
    }
    if (claim.kind != EventKind::touch) return false;
    const bool turned =
        same_name(claim.actor, event.partner) && same_name(claim.partner, event.actor);
    const bool same =
        same_name(claim.actor, event.actor) && same_name(claim.partner, event.partner);
    return (event.kind == EventKind::touch && turned) ||
           (event.kind == EventKind::hide && (same || turned));
  });
}

bool is_plausible(const Event& claim, const Clip& clip) {
  if (claim.kind == EventKind::cut) return true;
  if (turns_unseen(claim) || !may_be_named(clip, claim.actor.colour, claim.actor.shape))
    return false;
  if (is_of_figures(claim.kind) && claim.actor.shape != Shape::figure) return false;
  if (claim.kind == EventKind::recount && !is_group(claim.actor)) return false;
  if (looks_true(claim, clip)) return false;
  if (claim.kind == EventKind::recolour) {
    return claim.to_colour != claim.actor.colour &&
           may_be_named(clip, claim.to_colour, claim.actor.shape);
  }
  if (!has_partner(claim.kind)) return true;
  return !same_name(claim.actor, claim.partner) &&
         may_be_named(clip, claim.partner.colour, claim.partner.shape);
}

}  // namespace

bool has_direction(EventKind kind) {
  return kind == EventKind::move || kind == EventKind::bounce || kind == EventKind::follow ||
         kind == EventKind::walk;
}

bool has_partner(EventKind kind) {
  return kind == EventKind::swap || kind == EventKind::touch || kind == EventKind::hide ||
         kind == EventKind::follow;
}

bool same_claim(const Event& a, const Event& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == EventKind::cut) return a.to_background == b.to_background;
  if (a.kind == EventKind::swap) {
    return (same_name(a.actor, b.actor) && same_name(a.partner, b.partner)) ||
           (same_name(a.actor, b.partner) && same_name(a.partner, b.actor));
  }
  if (!same_name(a.actor, b.actor)) return false;
  if (has_partner(a.kind) && !same_name(a.partner, b.partner)) return false;
  if (has_direction(a.kind)) return a.direction == b.direction;
  if (a.kind == EventKind::recount) return a.to_count == b.to_count;
  return a.kind != EventKind::recolour || a.to_colour == b.to_colour;
}

int times_true(const Clip& clip, const Event& claim) {
  return static_cast<int>(
      std::count_if(clip.events.begin(), clip.events.end(),
                    [&](const Event& event) { return same_claim(event, claim); }));
}

std::vector<Look> names_in(const Clip& clip) {
  std::vector<Look> names;
  for (const Object& object : clip.objects) names.push_back(object.look);
  for (const Event& event : clip.events) {
    if (event.kind != EventKind::recolour) continue;
    names.push_back(event.actor);
    names.back().colour = event.to_colour;
  }
  return names;
}

bool may_be_named(const Clip& clip, Colour colour, Shape shape) {
  if (!is_held_out(colour, shape)) return true;
  const std::vector<Look> names = names_in(clip);
  return std::any_of(names.begin(), names.end(),
                     [](const Look& look) { return is_held_out(look.colour, look.shape); });
}

bool is_ever_in_view(const Clip& clip, Colour colour, Shape shape) {
  const std::vector<Look> names = names_in(clip);
  return std::any_of(names.begin(), names.end(), [&](const Look& look) {
    return look.colour == colour && look.shape == shape;
  });
}

Event false_claim(const Clip& clip, const Event& truth, bool near, Random& random) {
  while (true) {  // ends: 42 names times ten kinds, or more, against six events
    Event claim = truth;
    if (!near) {
      claim.kind = static_cast<EventKind>(random.integer(0, clip.event_kinds - 1));
      claim.actor = {static_cast<Shape>(random.integer(0, kShapes - 1)),
                     static_cast<Colour>(random.integer(0, kColours - 1)),
                     static_cast<ShapeSize>(random.integer(0, kSizes - 1)),
                     static_cast<Cell>(random.integer(0, kCells - 1))};
      if (is_of_figures(claim.kind)) claim.actor.shape = Shape::figure;
      if (claim.kind == EventKind::recount) claim.actor.count = 0;
      complete(claim, clip, random);
    } else if (truth.kind == EventKind::cut) {
      change_argument(claim, clip, random);
    } else {
      switch (random.integer(0, 2)) {
        case 0:
          change_actor(claim, clip, random);
          break;
        case 1:
          change_argument(claim, clip, random);
          break;
        default:
          change_kind(claim, clip, random);
          break;
      }
    }
    if (is_plausible(claim, clip) && times_true(clip, claim) == 0) return claim;
  }
}

Look false_name(const Clip& clip, const Look& truth, bool near, Random& random) {
  while (true) {  // ends: 42 names against at most a dozen
    Look name = truth;
    const std::int64_t choice = near ? random.integer(0, 1) : 2;
    if (choice != 0) name.colour = other_than(name.colour, kColours, random);
    if (choice != 1) name.shape = other_than(name.shape, shapes_like(name, clip), random);
    const bool absent = !is_ever_in_view(clip, name.colour, name.shape);
    if (absent && may_be_named(clip, name.colour, name.shape)) return name;
  }
}

}  // namespace tarsier
