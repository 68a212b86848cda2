#include "tarsier/synth/scene.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/base/random.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

const std::array<Level, 2>& levels() {
  static const std::array<Level, 2> all = {
      Level{.name = "easy", .seconds = 4, .max_objects = 1, .max_events = 1},
      Level{.name = "base"},
  };
  return all;
}

// What an event is drawn as: the ten kinds, with horizontal and vertical moves apart.
enum class Draw {
  appear,
  disappear,
  move_sideways,
  move_upright,
  grow,
  shrink,
  recolour,
  spin,
  jump,
  swap,
  cut
};
constexpr std::array kDraws = {Draw::appear,       Draw::disappear, Draw::move_sideways,
                               Draw::move_upright, Draw::grow,      Draw::shrink,
                               Draw::recolour,     Draw::spin,      Draw::jump,
                               Draw::swap,         Draw::cut};

std::int64_t frames_of(double seconds) { return std::llround(seconds * kFramesPerSecond); }
double seconds_of_frame(std::int64_t frame) {
  return static_cast<double>(frame) / kFramesPerSecond;
}

std::size_t pair_index(Colour colour, Shape shape) {
  return static_cast<std::size_t>(colour) * kShapes + static_cast<std::size_t>(shape);
}

std::optional<Cell> neighbour(Cell cell, Direction direction) {
  const int row = cell / 3, column = cell % 3;
  switch (direction) {
    case Direction::left:
      return column > 0 ? std::optional(cell - 1) : std::nullopt;
    case Direction::right:
      return column < 2 ? std::optional(cell + 1) : std::nullopt;
    case Direction::up:
      return row > 0 ? std::optional(cell - 3) : std::nullopt;
    case Direction::down:
      return row < 2 ? std::optional(cell + 3) : std::nullopt;
    case Direction::none:
      break;
  }
  return std::nullopt;
}

// Draws one clip, keeping track of what is in view as events are added.
class Maker {
 public:
  Maker(const Level& level, ClipOptions options, Random random)
      : level_(level), options_(options), random_(random) {}

  Clip make() {
    clip_.level = level_.name;
    clip_.seconds = level_.seconds;
    clip_.background = background_ = static_cast<Background>(random_.integer(0, kBackgrounds - 1));
    draw_opening();
    const std::int64_t events = random_.integer(level_.min_events, level_.max_events);
    for (std::int64_t i = 0; i < events; ++i) add_event();
    draw_times();
    return std::move(clip_);
  }

 private:
  void draw_opening() {
    const std::int64_t count = random_.integer(level_.min_objects, level_.max_objects);
    std::vector<Cell> cells(kCells);
    for (Cell cell = 0; cell < kCells; ++cell) cells[static_cast<std::size_t>(cell)] = cell;
    random_.shuffle(cells);
    cells.resize(static_cast<std::size_t>(count));
    std::sort(cells.begin(), cells.end());
    const std::int64_t unseen = options_.unseen ? random_.integer(0, count - 1) : -1;
    for (std::int64_t i = 0; i < count; ++i) {
      add_object(cells[static_cast<std::size_t>(i)], true, i == unseen);
      clip_.opening.push_back(clip_.objects.back().look);
    }
  }

  int add_object(Cell cell, bool from_start, bool held_out) {
    std::vector<Look> fresh;
    for (int colour = 0; colour < kColours; ++colour) {
      for (int shape = 0; shape < kShapes; ++shape) {
        const Look look{static_cast<Shape>(shape), static_cast<Colour>(colour), ShapeSize::small,
                        cell};
        if (is_held_out(look.colour, look.shape) == held_out && !taken(look)) fresh.push_back(look);
      }
    }
    Object object{.look = random_.pick(fresh), .from_start = from_start};
    object.look.size = static_cast<ShapeSize>(random_.integer(0, 1));
    object.jitter_x = static_cast<int>(random_.integer(-level_.max_jitter, level_.max_jitter));
    object.jitter_y = static_cast<int>(random_.integer(-level_.max_jitter, level_.max_jitter));
    take(object.look);
    clip_.objects.push_back(object);
    now_.push_back(object.look);
    return static_cast<int>(clip_.objects.size()) - 1;
  }

  bool taken(const Look& look) const { return taken_[pair_index(look.colour, look.shape)]; }
  void take(const Look& look) { taken_[pair_index(look.colour, look.shape)] = true; }

  bool is_free(Cell cell) const {
    return std::none_of(now_.begin(), now_.end(), [&](const std::optional<Look>& look) {
      return look && look->cell == cell;
    });
  }

  std::vector<int> in_view() const {
    std::vector<int> objects;
    for (std::size_t i = 0; i < now_.size(); ++i) {
      if (now_[i]) objects.push_back(static_cast<int>(i));
    }
    return objects;
  }

  Look& look_of(int object) { return *now_[static_cast<std::size_t>(object)]; }

  // Kinds are tried in random order until one is possible, so each possible kind is equally likely.
  void add_event() {
    std::array<Draw, kDraws.size()> order = kDraws;
    random_.shuffle(order);
    for (const Draw draw : order) {
      if (std::optional<Event> event = draw_event(draw)) {
        apply(*event);
        clip_.events.push_back(*event);
        return;
      }
    }
    throw InternalError({"synth", "no event is possible in a scene", ""});  // a cut always is
  }

  std::optional<Event> draw_event(Draw draw) {
    switch (draw) {
      case Draw::appear:
        return draw_appear();
      case Draw::disappear:
        return draw_single(EventKind::disappear, [](const Look&) { return true; });
      case Draw::move_sideways:
        return draw_move({Direction::left, Direction::right});
      case Draw::move_upright:
        return draw_move({Direction::up, Direction::down});
      case Draw::grow:
        return draw_single(EventKind::grow,
                           [](const Look& look) { return look.size == ShapeSize::small; });
      case Draw::shrink:
        return draw_single(EventKind::shrink,
                           [](const Look& look) { return look.size == ShapeSize::big; });
      case Draw::recolour:
        return draw_recolour();
      case Draw::spin:  // a turned circle or ring looks the same
        return draw_single(EventKind::spin, [](const Look& look) {
          return look.shape != Shape::circle && look.shape != Shape::ring;
        });
      case Draw::jump:  // not into what lies above
        return draw_single(EventKind::jump, [this](const Look& look) {
          const std::optional<Cell> above = neighbour(look.cell, Direction::up);
          return !above || is_free(*above);
        });
      case Draw::swap:
        return draw_swap();
      case Draw::cut:
        return draw_cut();
    }
    return std::nullopt;
  }

  template <class Condition>
  std::optional<Event> draw_single(EventKind kind, Condition possible) {
    std::vector<int> candidates;
    for (const int object : in_view()) {
      if (possible(look_of(object))) candidates.push_back(object);
    }
    if (candidates.empty()) return std::nullopt;
    Event event{.kind = kind, .object = random_.pick(candidates)};
    event.actor = look_of(event.object);
    return event;
  }

  std::optional<Event> draw_appear() {
    if (static_cast<int>(in_view().size()) >= level_.max_in_view) return std::nullopt;
    std::vector<Cell> free;
    for (Cell cell = 0; cell < kCells; ++cell) {
      if (is_free(cell)) free.push_back(cell);
    }
    Event event{.kind = EventKind::appear, .object = add_object(random_.pick(free), false, false)};
    event.actor = look_of(event.object);
    return event;
  }

  std::optional<Event> draw_move(std::array<Direction, 2> directions) {
    std::vector<std::pair<int, Direction>> moves;
    for (const int object : in_view()) {
      for (const Direction direction : directions) {
        const std::optional<Cell> to = neighbour(look_of(object).cell, direction);
        if (to && is_free(*to)) moves.emplace_back(object, direction);
      }
    }
    if (moves.empty()) return std::nullopt;
    const auto [object, direction] = random_.pick(moves);
    return Event{.kind = EventKind::move,
                 .object = object,
                 .direction = direction,
                 .actor = look_of(object)};
  }

  std::optional<Event> draw_recolour() {
    std::vector<std::pair<int, Colour>> changes;
    for (const int object : in_view()) {
      for (int colour = 0; colour < kColours; ++colour) {
        Look look = look_of(object);
        look.colour = static_cast<Colour>(colour);
        const bool allowed = options_.unseen || !is_held_out(look.colour, look.shape);
        if (allowed && !taken(look)) changes.emplace_back(object, look.colour);
      }
    }
    if (changes.empty()) return std::nullopt;
    const auto [object, colour] = random_.pick(changes);
    return Event{.kind = EventKind::recolour,
                 .object = object,
                 .to_colour = colour,
                 .actor = look_of(object)};
  }

  std::optional<Event> draw_swap() {
    std::vector<int> pair = in_view();
    if (pair.size() < 2) return std::nullopt;
    random_.shuffle(pair);
    if (look_of(pair[1]).cell < look_of(pair[0]).cell) std::swap(pair[0], pair[1]);
    return Event{.kind = EventKind::swap,
                 .object = pair[0],
                 .other = pair[1],
                 .actor = look_of(pair[0]),
                 .partner = look_of(pair[1])};
  }

  std::optional<Event> draw_cut() {
    std::vector<Background> others;
    for (int background = 0; background < kBackgrounds; ++background) {
      if (static_cast<Background>(background) != background_) {
        others.push_back(static_cast<Background>(background));
      }
    }
    return Event{.kind = EventKind::cut, .to_background = random_.pick(others)};
  }

  void apply(const Event& event) {
    if (event.kind == EventKind::cut) background_ = event.to_background;
    for (std::size_t i = 0; i < now_.size(); ++i) {
      if (now_[i]) now_[i] = look_after(event, static_cast<int>(i), *now_[i]);
    }
    if (event.kind == EventKind::disappear) now_[static_cast<std::size_t>(event.object)].reset();
    if (event.kind == EventKind::recolour) take(look_of(event.object));
  }

  // Each event gets a slot of its length; what time is left over is shared out before, between and
  // after them. A cut falls early in its slot, so that it and the next event start more than a
  // sampling step apart.
  void draw_times() {
    const auto count = static_cast<std::int64_t>(clip_.events.size());
    std::vector<std::int64_t> lengths(clip_.events.size());
    std::int64_t free = frames_of(level_.seconds - 2 * level_.margin_seconds) -
                        (count - 1) * frames_of(level_.gap_seconds);
    for (std::int64_t& length : lengths) {
      length =
          random_.integer(frames_of(level_.min_event_seconds), frames_of(level_.max_event_seconds));
      free -= length;
    }
    check(free >= 0, "a level's events fit into its clip");
    std::vector<std::int64_t> spare(clip_.events.size());
    for (std::int64_t& part : spare) part = random_.integer(0, free);
    std::sort(spare.begin(), spare.end());
    std::int64_t begin = frames_of(level_.margin_seconds);
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      Event& event = clip_.events[i];
      std::int64_t start = begin + spare[i], end = start + lengths[i];
      if (event.kind == EventKind::cut) {
        start += random_.integer(0, 9);
        end = start + 1;
      }
      event.start = seconds_of_frame(start);
      event.end = seconds_of_frame(end);
      begin += lengths[i] + frames_of(level_.gap_seconds);
    }
  }

  const Level& level_;
  ClipOptions options_;
  Random random_;
  Clip clip_;
  Background background_ = Background::black;
  std::vector<std::optional<Look>> now_;  // by object; empty when not in view
  std::array<bool, kColours * kShapes> taken_{};
};

}  // namespace

const Level& level_named(std::string_view name) {
  for (const Level& level : levels()) {
    if (level.name == name) return level;
  }
  throw ConfigError({"level", "no level is named '" + std::string(name) + "'", "use easy or base"});
}

Clip make_clip(const Level& level, Split split, std::uint64_t seed, std::uint64_t index,
               ClipOptions options) {
  check(!options.unseen || split == Split::test, "only the test split has unseen pairs");
  constexpr std::uint64_t kTag = 0x736861706573;  // "shapes"
  Clip clip =
      Maker(
          level, options,
          Random({kTag, static_cast<std::uint64_t>(split), seed, index, options.unseen ? 1u : 0u}))
          .make();
  clip.split = split;
  clip.seed = seed;
  clip.index = index;
  return clip;
}

bool is_held_out(Colour colour, Shape shape) {
  switch (shape) {
    case Shape::circle:
      return colour == Colour::yellow;
    case Shape::square:
      return colour == Colour::orange;
    case Shape::triangle:
      return colour == Colour::green;
    case Shape::cross:
      return colour == Colour::purple;
    case Shape::ring:
      return colour == Colour::blue;
    case Shape::star:
      return colour == Colour::red;
  }
  return false;
}

}  // namespace tarsier
