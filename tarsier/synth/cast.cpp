#include "tarsier/synth/cast.h"

#include <algorithm>
#include <cstdlib>

#include "tarsier/synth/grid.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

std::size_t pair_index(const Look& look) {
  return static_cast<std::size_t>(look.colour) * kAllShapes + static_cast<std::size_t>(look.shape);
}

bool looks_turned(Shape shape) { return shape != Shape::circle && shape != Shape::ring; }

// Both are drawn near their cells' centres; big beside big leaves no way to go.
bool has_way_between(const Look& a, const Look& b) {
  const int steps =
      std::abs(row_of(a.cell) - row_of(b.cell)) + std::abs(column_of(a.cell) - column_of(b.cell));
  return steps > 1 || a.size == ShapeSize::small || b.size == ShapeSize::small;
}

}  // namespace

int Cast::add_object(Cell cell, bool from_start, bool held_out) {
  Object object{.look = fresh_look(cell, from_start, held_out), .from_start = from_start};
  object.jitter_x = static_cast<int>(random_.integer(-level_.max_jitter, level_.max_jitter));
  object.jitter_y = static_cast<int>(random_.integer(-level_.max_jitter, level_.max_jitter));
  take(object.look);
  objects_.push_back(object);
  now_.push_back(object.look);
  fallen_.push_back(false);
  return static_cast<int>(objects_.size()) - 1;
}

Look Cast::fresh_look(Cell cell, bool from_start, bool held_out) {
  bool figure = false, group = false;
  if (level_.figure_rate + level_.group_rate > 0 && !held_out) {
    const double drawn = random_.uniform();
    figure = drawn < level_.figure_rate;
    group = from_start && !figure && drawn < level_.figure_rate + level_.group_rate;
  }
  std::vector<Look> fresh;
  for (int colour = 0; colour < kColours; ++colour) {
    for (int shape = 0; shape < kShapes; ++shape) {
      const Look look{figure ? Shape::figure : static_cast<Shape>(shape),
                      static_cast<Colour>(colour), ShapeSize::small, cell};
      if (is_held_out(look.colour, look.shape) == held_out && !taken(look)) fresh.push_back(look);
      if (figure) break;
    }
  }
  Look look = random_.pick(fresh);
  if (group) {
    look.count = static_cast<int>(random_.integer(kLeastInGroup, kMostInGroup));
  } else {
    look.size = static_cast<ShapeSize>(random_.integer(0, 1));
  }
  return look;
}

bool Cast::taken(const Look& look) const { return taken_[pair_index(look)]; }
void Cast::take(const Look& look) { taken_[pair_index(look)] = true; }

bool Cast::is_free(Cell cell) const {
  const bool empty = std::none_of(now_.begin(), now_.end(), [&](const std::optional<Look>& look) {
    return look && look->cell == cell;
  });
  return empty && std::none_of(running_.begin(), running_.end(), [&](const Event& event) {
           const std::vector<Cell> cells = cells_of(event);
           return std::find(cells.begin(), cells.end(), cell) != cells.end();
         });
}

std::vector<int> Cast::idle() const {
  std::vector<int> objects;
  for (std::size_t i = 0; i < now_.size(); ++i) {
    const int object = static_cast<int>(i);
    if (now_[i] && std::none_of(running_.begin(), running_.end(),
                                [&](const Event& event) { return concerns(event, object); }))
      objects.push_back(object);
  }
  return objects;
}

bool Cast::is_plain(int object) const {
  return !is_group(look_of(object)) && look_of(object).shape != Shape::figure;
}
bool Cast::is_standing(int object) const {
  return look_of(object).shape == Shape::figure && !fallen_[static_cast<std::size_t>(object)];
}

std::vector<Cell> Cast::cells_of(const Event& event) const {
  std::vector<Cell> cells;
  const auto add = [&](std::optional<Cell> cell) {
    if (cell) cells.push_back(*cell);
  };
  switch (event.kind) {
    case EventKind::move:
    case EventKind::walk:
      add(neighbour(event.actor.cell, event.direction));
      break;
    case EventKind::follow:
      add(neighbour(event.partner.cell, event.direction));
      break;
    case EventKind::jump:
      add(neighbour(event.actor.cell, Direction::up));
      break;
    case EventKind::bounce:
      for (auto cell = neighbour(event.actor.cell, event.direction); cell;
           cell = neighbour(*cell, event.direction))
        cells.push_back(*cell);
      break;
    case EventKind::touch: {
      const Direction way = direction_to(event.actor.cell, event.partner.cell);
      for (auto cell = neighbour(event.actor.cell, way); cell && *cell != event.partner.cell;
           cell = neighbour(*cell, way))
        cells.push_back(*cell);
      break;
    }
    default:
      break;
  }
  return cells;
}

std::optional<Event> Cast::draw(EventKind kind, int way) {
  const std::vector<Direction> sideways = {Direction::left, Direction::right};
  switch (kind) {
    case EventKind::appear:
      return draw_appear();
    case EventKind::disappear:
      return draw_single(kind, [](int) { return true; });
    case EventKind::move:
      return draw_step(kind, way % 2 == 0 ? sideways : std::vector{Direction::up, Direction::down},
                       [&](int object) { return look_of(object).shape != Shape::figure; });
    case EventKind::grow:
      return draw_single(kind, [&](int object) {
        return !is_group(look_of(object)) && look_of(object).size == ShapeSize::small;
      });
    case EventKind::shrink:
      return draw_single(kind, [&](int object) { return look_of(object).size == ShapeSize::big; });
    case EventKind::recolour:
      return draw_recolour();
    case EventKind::spin:  // a turned circle or ring looks the same
      return draw_single(kind, [&](int object) {
        return is_plain(object) && looks_turned(look_of(object).shape);
      });
    case EventKind::jump:  // not into what lies above
      return draw_single(kind, [&](int object) {
        const std::optional<Cell> above = neighbour(look_of(object).cell, Direction::up);
        return (is_plain(object) || is_standing(object)) && (!above || is_free(*above));
      });
    case EventKind::swap:
      return draw_swap();
    case EventKind::cut:
      return draw_cut();
    case EventKind::touch:
      return draw_pair(kind, [&](int actor, int partner) {
        const Look &from = look_of(actor), &to = look_of(partner);
        const Direction direction = direction_to(from.cell, to.cell);
        if (direction == Direction::none || !is_plain(actor) || is_group(to)) return false;
        const std::optional<Cell> next = neighbour(from.cell, direction);
        return has_way_between(from, to) && (*next == to.cell || is_free(*next));
      });
    case EventKind::bounce:  // at least a cell's way
      return draw_step(kind, {Direction::left, Direction::right, Direction::up, Direction::down},
                       [&](int object) { return is_plain(object); });
    case EventKind::hide:  // a big circle or square covers every small shape
      return draw_pair(kind, [&](int actor, int partner) {
        const Look &from = look_of(actor), &to = look_of(partner);
        return is_plain(actor) && from.size == ShapeSize::small && to.size == ShapeSize::big &&
               (to.shape == Shape::circle || to.shape == Shape::square) &&
               std::abs(row_of(from.cell) - row_of(to.cell)) <= 1 &&
               std::abs(column_of(from.cell) - column_of(to.cell)) <= 1;
      });
    case EventKind::follow:
      return draw_follow();
    case EventKind::recount:
      return draw_recount();
    case EventKind::walk:
      return draw_step(kind, sideways, [&](int object) { return is_standing(object); });
    case EventKind::wave:
    case EventKind::fall:
      return draw_single(kind, [&](int object) { return is_standing(object); });
  }
  return std::nullopt;
}

template <class Condition>
std::optional<Event> Cast::draw_single(EventKind kind, Condition possible) {
  std::vector<int> candidates;
  for (const int object : idle()) {
    if (possible(object)) candidates.push_back(object);
  }
  if (candidates.empty()) return std::nullopt;
  Event event{.kind = kind, .object = random_.pick(candidates)};
  event.actor = look_of(event.object);
  return event;
}

// One that goes to free cells: the next, or for a bounce all to the edge.
template <class Condition>
std::optional<Event> Cast::draw_step(EventKind kind, const std::vector<Direction>& directions,
                                     Condition possible) {
  std::vector<Event> steps;
  for (const int object : idle()) {
    if (!possible(object)) continue;
    for (const Direction direction : directions) {
      const Event step{
          .kind = kind, .object = object, .direction = direction, .actor = look_of(object)};
      const std::vector<Cell> way = cells_of(step);
      const bool free =
          std::all_of(way.begin(), way.end(), [&](Cell cell) { return is_free(cell); });
      if (!way.empty() && free) steps.push_back(step);
    }
  }
  if (steps.empty()) return std::nullopt;
  return random_.pick(steps);
}

template <class Condition>
std::optional<Event> Cast::draw_pair(EventKind kind, Condition possible) {
  std::vector<std::pair<int, int>> pairs;
  const std::vector<int> objects = idle();
  for (const int actor : objects) {
    for (const int partner : objects) {
      if (actor != partner && possible(actor, partner)) pairs.emplace_back(actor, partner);
    }
  }
  if (pairs.empty()) return std::nullopt;
  const auto [actor, partner] = random_.pick(pairs);
  return Event{.kind = kind,
               .object = actor,
               .other = partner,
               .actor = look_of(actor),
               .partner = look_of(partner)};
}

std::optional<Event> Cast::draw_appear() {
  const auto in_view =
      std::count_if(now_.begin(), now_.end(), [](const auto& look) { return look.has_value(); });
  if (in_view >= level_.max_in_view) return std::nullopt;
  std::vector<Cell> free;
  for (Cell cell = 0; cell < kCells; ++cell) {
    if (is_free(cell)) free.push_back(cell);
  }
  if (free.empty()) return std::nullopt;
  Event event{.kind = EventKind::appear, .object = add_object(random_.pick(free), false, false)};
  event.actor = look_of(event.object);
  return event;
}

std::optional<Event> Cast::draw_recolour() {
  std::vector<std::pair<int, Colour>> changes;
  for (const int object : idle()) {
    for (int colour = 0; colour < kColours; ++colour) {
      Look look = look_of(object);
      look.colour = static_cast<Colour>(colour);
      const bool allowed = options_.unseen || !is_held_out(look.colour, look.shape);
      if (allowed && !taken(look)) changes.emplace_back(object, look.colour);
    }
  }
  if (changes.empty()) return std::nullopt;
  const auto [object, colour] = random_.pick(changes);
  return Event{
      .kind = EventKind::recolour, .object = object, .to_colour = colour, .actor = look_of(object)};
}

std::optional<Event> Cast::draw_swap() {
  std::vector<int> pair = idle();
  std::erase_if(pair, [&](int object) {  // the arcs would take them out of the picture
    return is_group(look_of(object)) || fallen_[static_cast<std::size_t>(object)];
  });
  if (pair.size() < 2) return std::nullopt;
  random_.shuffle(pair);
  if (look_of(pair[1]).cell < look_of(pair[0]).cell) std::swap(pair[0], pair[1]);
  return Event{.kind = EventKind::swap,
               .object = pair[0],
               .other = pair[1],
               .actor = look_of(pair[0]),
               .partner = look_of(pair[1])};
}

std::optional<Event> Cast::draw_cut() {
  std::vector<Background> others;
  for (int background = 0; background < kBackgrounds; ++background) {
    if (static_cast<Background>(background) != background_) {
      others.push_back(static_cast<Background>(background));
    }
  }
  return Event{.kind = EventKind::cut, .to_background = random_.pick(others)};
}

std::optional<Event> Cast::draw_follow() {
  std::optional<Event> event = draw_pair(EventKind::follow, [&](int actor, int partner) {
    const Look &from = look_of(actor), &to = look_of(partner);
    const Direction direction = direction_to(from.cell, to.cell);
    if (!is_plain(actor) || !is_plain(partner)) return false;
    const std::optional<Cell> target = neighbour(to.cell, direction);
    return direction != Direction::none && *neighbour(from.cell, direction) == to.cell && target &&
           is_free(*target);
  });
  if (event) event->direction = direction_to(event->actor.cell, event->partner.cell);
  return event;
}

std::optional<Event> Cast::draw_recount() {
  std::optional<Event> event =
      draw_single(EventKind::recount, [&](int object) { return is_group(look_of(object)); });
  if (!event) return event;
  std::vector<int> counts;
  for (int count = kLeastInGroup; count <= kMostInGroup; ++count) {
    if (count != event->actor.count) counts.push_back(count);
  }
  event->to_count = random_.pick(counts);
  return event;
}

void Cast::begin(const Event& event) {
  if (event.kind == EventKind::cut) background_ = event.to_background;
  if (event.kind == EventKind::recolour) take(look_after(event, event.object, event.actor));
  running_.push_back(event);
}

void Cast::end(const Event& event) {
  std::erase(running_, event);
  for (std::size_t i = 0; i < now_.size(); ++i) {
    if (now_[i]) now_[i] = look_after(event, static_cast<int>(i), *now_[i]);
  }
  if (event.kind == EventKind::disappear) now_[static_cast<std::size_t>(event.object)].reset();
  if (event.kind == EventKind::fall) fallen_[static_cast<std::size_t>(event.object)] = true;
}

}  // namespace tarsier
