#include "tarsier/synth/motion.h"

#include <algorithm>
#include <cmath>

#include "tarsier/synth/grid.h"
#include "tarsier/synth/raster.h"

namespace tarsier {
namespace {

double radius_of(ShapeSize size) { return size == ShapeSize::small ? kSmallRadius : kBigRadius; }
double x_of(Cell cell) { return kCellSide * (column_of(cell) + 0.5); }
double y_of(Cell cell) { return kCellSide * (row_of(cell) + 0.5); }
double between(double from, double to, double share) { return from + (to - from) * share; }

struct Point {
  double x = 0, y = 0;
};

Point unit(Direction direction) {
  switch (direction) {
    case Direction::left:
      return {-1, 0};
    case Direction::right:
      return {1, 0};
    case Direction::up:
      return {0, -1};
    case Direction::down:
      return {0, 1};
    case Direction::none:
      break;
  }
  return {};
}

// Height of a jump, 0 to 1: two hops, steep at the ground so that few moments look like standing
// still.
double hop(double share) {
  const double phase = share < 0.5 ? 2 * share : 2 * share - 1;
  const double away = 1 - 4 * phase * (1 - phase);
  return 1 - away * away;
}

// 0 to 1 and back to 0, staying at 1 for the middle `stay` of the time.
double there_and_back(double share, double stay) {
  const double way = (1 - stay) / 2;
  return std::clamp(std::min(share, 1 - share) / way, 0.0, 1.0);
}

// Between -1 and 1, `times` back and forth.
double swing(double share, double times) {
  const double phase = share * times - std::floor(share * times);
  return phase < 0.5 ? 4 * phase - 1 : 3 - 4 * phase;
}

// How far a shape reaches from its centre, of its radius: where it meets another, or an edge.
double reach(Shape shape) {
  switch (shape) {
    case Shape::circle:
      return 0.92;
    case Shape::square:
      return 0.8;
    case Shape::triangle:
      return 0.7;
    case Shape::cross:
    case Shape::ring:
      return 0.96;
    case Shape::star:
      return 0.9;
    case Shape::figure:
      return 0.5;
  }
  return 1;
}

Sprite still_sprite(const Object& object, int index, const Look& look) {
  Sprite sprite{.object = index, .shape = look.shape};
  sprite.x = x_of(look.cell) + object.jitter_x;
  sprite.y = y_of(look.cell) + object.jitter_y;
  sprite.radius = is_group(look) ? kMemberRadius : radius_of(look.size);
  const std::array<std::uint8_t, 3> rgb = rgb_of(look.colour);
  for (std::size_t c = 0; c < 3; ++c) sprite.rgb[c] = rgb[c];
  return sprite;
}

// Tips a figure over in its cell; `share` 1: it lies.
void tip(Sprite& sprite, double share) {
  sprite.turns += 0.25 * share;
  sprite.y += 0.5 * sprite.radius * share;
}

// The way from a sprite to where it meets its partner, which stands still.
Point way_to_touch(const Sprite& sprite, const Sprite& partner) {
  const double dx = partner.x - sprite.x, dy = partner.y - sprite.y;
  const double distance = std::sqrt(dx * dx + dy * dy);
  const double meet = sprite.radius * reach(sprite.shape) + partner.radius * reach(partner.shape);
  const double share = std::max(0.0, 1 - meet / distance);
  return {dx * share, dy * share};
}

Point way_to_edge(const Sprite& sprite, Direction direction) {
  const Point way = unit(direction);
  const double x = way.x < 0 ? sprite.x : kPictureSide - sprite.x,
               y = way.y < 0 ? sprite.y : kPictureSide - sprite.y;
  const double distance = (way.x != 0 ? x : y) - sprite.radius * reach(sprite.shape);
  return {way.x * distance, way.y * distance};
}

// Draws the part of an event that is in progress onto a sprite that shows the look before it.
void animate(Sprite& sprite, const Clip& clip, const Event& event, const Look& before,
             double share) {
  const Look after = look_after(event, sprite.object, before);
  const bool is_actor = sprite.object == event.object;
  double moved = share;
  if (event.kind == EventKind::follow)  // the actor sets out later, the partner arrives earlier
    moved = std::clamp(is_actor ? (share - 0.2) / 0.8 : share / 0.8, 0.0, 1.0);
  sprite.x += (x_of(after.cell) - x_of(before.cell)) * moved;
  sprite.y += (y_of(after.cell) - y_of(before.cell)) * moved;
  if (before.size != after.size)
    sprite.radius = between(radius_of(before.size), radius_of(after.size), share);
  const std::array<std::uint8_t, 3> to = rgb_of(after.colour);
  for (std::size_t c = 0; c < 3; ++c) sprite.rgb[c] = between(sprite.rgb[c], to[c], share);
  const auto go = [&](const Point& way, double part) {
    sprite.x += way.x * part;
    sprite.y += way.y * part;
  };
  const auto partner = [&] {
    return still_sprite(clip.objects[static_cast<std::size_t>(event.other)], event.other,
                        event.partner);
  };
  switch (event.kind) {
    case EventKind::appear:
    case EventKind::disappear: {
      const double shown = event.kind == EventKind::appear ? share : 1 - share;
      sprite.opacity = shown;
      sprite.radius *= between(0.4, 1, shown);
      break;
    }
    case EventKind::spin:
      sprite.turns += kSpinTurns * share;
      break;
    case EventKind::jump:
      sprite.y -= kJumpHeight * hop(share);
      break;
    case EventKind::swap: {  // each goes round on its own side: the arcs bend apart at right angles
                             // to the way
      const double dx = x_of(after.cell) - x_of(before.cell),
                   dy = y_of(after.cell) - y_of(before.cell);
      const double cells = std::max({dx, -dx, dy, -dy}) / kCellSide;
      const double bend = 0.42 * 4 * share * (1 - share) / cells;
      sprite.x -= dy * bend;
      sprite.y += dx * bend;
      break;
    }
    case EventKind::touch:
      if (is_actor) go(way_to_touch(sprite, partner()), there_and_back(share, 0.2));
      break;
    case EventKind::bounce:
      go(way_to_edge(sprite, event.direction), there_and_back(share, 0));
      break;
    case EventKind::hide:
      if (is_actor) {
        const Sprite cover = partner();
        go({cover.x - sprite.x, cover.y - sprite.y}, there_and_back(share, 0.4));
        sprite.layer = -1;
      }
      break;
    case EventKind::walk:
      sprite.stride = 0.999 * swing(share, 3) + 0.001;  // 0 would be standing still
      break;
    case EventKind::wave:
      sprite.wave = 2 + swing(share, 4);
      break;
    case EventKind::fall:
      tip(sprite, std::min(1.0, share * 1.25));
      break;
    default:
      break;
  }
}

// A group's members stand like the dots of a die.
constexpr std::array<std::array<int, 2>, kMostInGroup> kMembers = {
    {{-1, -1}, {1, 1}, {1, -1}, {-1, 1}, {0, 0}}};

void add_members(const Sprite& whole, const Look& look, const Event* running, double share,
                 std::vector<Sprite>& sprites) {
  const bool changes = running != nullptr && running->kind == EventKind::recount;
  const int after = changes ? running->to_count : look.count;
  for (int i = 0; i < std::max(look.count, after); ++i) {
    const std::array<int, 2>& place = kMembers[static_cast<std::size_t>(i)];
    Sprite member = whole;
    member.x += place[0] * kMemberDistance;
    member.y += place[1] * kMemberDistance;
    if (i >= after) member.opacity *= 1 - share;
    if (i >= look.count) member.opacity *= share;
    sprites.push_back(member);
  }
}

}  // namespace

Rest rest_after(const Event& event, int object, Rest before) {
  if (event.object != object) return before;
  if (event.kind == EventKind::spin) before.turns += kSpinTurns;
  if (event.kind == EventKind::fall) before.fallen = true;
  return before;
}

void add_sprites(const Clip& clip, int object, const Look& look, const Rest& rest,
                 const Event* running, double share, std::vector<Sprite>& sprites) {
  Sprite sprite = still_sprite(clip.objects[static_cast<std::size_t>(object)], object, look);
  sprite.turns = rest.turns;
  if (running != nullptr) animate(sprite, clip, *running, look, share);
  if (rest.fallen) tip(sprite, 1);
  if (is_group(look)) {
    add_members(sprite, look, running, share, sprites);
  } else {
    sprites.push_back(sprite);
  }
}

}  // namespace tarsier
