#include "tarsier/synth/scene.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/base/random.h"
#include "tarsier/synth/cast.h"
#include "tarsier/synth/sounds.h"

namespace tarsier {
namespace {

std::int64_t frames_of(double seconds) { return std::llround(seconds * kFramesPerSecond); }
double seconds_of_frame(std::int64_t frame) {
  return static_cast<double>(frame) / kFramesPerSecond;
}

// Draws one clip. Nothing is drawn for what a level does not have, so that its stream of random
// numbers stays what it is when levels gain new ranges.
class Maker {
 public:
  Maker(const Level& level, ClipOptions options, Random random)
      : level_(level), options_(options), random_(random), cast_(level, options, random_) {}

  Clip make() {
    clip_.level = level_.name;
    clip_.seconds = level_.seconds;
    clip_.background = static_cast<Background>(random_.integer(0, kBackgrounds - 1));
    cast_.set_background(clip_.background);
    draw_stage();
    draw_opening();
    const std::int64_t events = random_.integer(level_.min_events, level_.max_events);
    if (level_.overlap) {
      draw_overlapping_events(events);
    } else {
      for (std::int64_t i = 0; i < events; ++i) {
        Event event = draw_event();
        cast_.begin(event);
        cast_.end(event);
        clip_.events.push_back(std::move(event));
      }
      draw_times();
    }
    clip_.objects = cast_.objects();
    return std::move(clip_);
  }

 private:
  // How long the clip is, how its camera moves, and whether there is a ground.
  void draw_stage() {
    if (level_.figure_rate > 0) clip_.shapes = kAllShapes;
    for (std::size_t kind = kEventKinds; kind < kAllEventKinds; ++kind) {
      if (level_.weights[kind] > 0) clip_.event_kinds = kAllEventKinds;
    }
    if (level_.more_seconds > 0) {
      clip_.seconds +=
          static_cast<double>(random_.integer(0, static_cast<std::int64_t>(level_.more_seconds)));
    }
    if (level_.camera_rate > 0 && random_.chance(level_.camera_rate)) {
      const std::int64_t choice = random_.integer(0, 2);  // pan, zoom, both
      if (choice != 1) {
        clip_.camera.pan_x = random_.uniform(-level_.max_pan, level_.max_pan);
        clip_.camera.pan_y = random_.uniform(-level_.max_pan, level_.max_pan);
      }
      if (choice != 0) clip_.camera.zoom = random_.uniform(level_.min_zoom, level_.max_zoom);
    }
    if (level_.horizon_rate > 0 && random_.chance(level_.horizon_rate))
      clip_.horizon = static_cast<int>(random_.integer(150, 290));
  }

  void draw_opening() {
    const std::int64_t count = random_.integer(level_.min_objects, level_.max_objects);
    std::vector<Cell> cells(kCells);
    for (Cell cell = 0; cell < kCells; ++cell) cells[static_cast<std::size_t>(cell)] = cell;
    random_.shuffle(cells);
    cells.resize(static_cast<std::size_t>(count));
    std::sort(cells.begin(), cells.end());
    const std::int64_t unseen = options_.unseen ? random_.integer(0, count - 1) : -1;
    for (std::int64_t i = 0; i < count; ++i) {
      cast_.add_object(cells[static_cast<std::size_t>(i)], true, i == unseen);
      clip_.opening.push_back(cast_.objects().back().look);
    }
  }

  // Kinds are tried in random order, the heavier ones rather earlier, until one is possible; so
  // each possible kind is as likely as its weight.
  Event draw_event() {
    std::vector<std::pair<EventKind, int>> order;
    for (int kind = 0; kind < kAllEventKinds; ++kind) {
      for (int way = 0; way < level_.weights[static_cast<std::size_t>(kind)]; ++way)
        order.emplace_back(static_cast<EventKind>(kind), way);
    }
    random_.shuffle(order);
    for (const auto& [kind, way] : order) {
      if (std::optional<Event> event = cast_.draw(kind, way)) return *event;
    }
    throw InternalError({"synth", "no event is possible in a scene", ""});  // a cut always is
  }

  // Events start more than a sampling step of the level's frames apart, so that their order can be
  // seen, and last two and a half at least, so that none hides between two frames: a jump is on the
  // ground at its middle. How long they last decides which run at the same time.
  void draw_overlapping_events(std::int64_t count) {
    const std::int64_t gap = frames_of(level_.gap_seconds);
    const std::int64_t step = frames_of(clip_.seconds) / (level_.frames - 1) + 1;  // rounded up
    const std::int64_t shortest = std::max(frames_of(level_.min_event_seconds), step * 5 / 2);
    const std::int64_t longest =
        shortest + frames_of(level_.max_event_seconds - level_.min_event_seconds);
    const std::int64_t free =
        frames_of(clip_.seconds - 2 * level_.margin_seconds) - longest - (count - 1) * step;
    check(free >= 0, "a level's events fit into its clip");
    std::vector<std::int64_t> starts(static_cast<std::size_t>(count));
    for (std::int64_t& start : starts) start = random_.integer(0, free);
    std::sort(starts.begin(), starts.end());
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const std::int64_t start =
          frames_of(level_.margin_seconds) + starts[i] + static_cast<std::int64_t>(i) * step;
      for (const Event& event : clip_.events) {
        const std::int64_t over = frames_of(event.end) + gap;
        if (over <= start && over > last_look_) cast_.end(event);
      }
      last_look_ = start;
      Event event = draw_event();
      const std::int64_t length =
          event.kind == EventKind::cut ? 1 : random_.integer(shortest, longest);
      event.start = seconds_of_frame(start);
      event.end = seconds_of_frame(start + length);
      cast_.begin(event);
      clip_.events.push_back(event);
    }
    std::sort(clip_.events.begin(), clip_.events.end(), comes_before);
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
  Cast cast_;
  Clip clip_;
  std::int64_t last_look_ = -1;  // the frame at which events were last looked at for being over
};

}  // namespace

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
  if (level.max_sounds > 0) {  // a stream of their own: what is seen does not depend on them
    constexpr std::uint64_t kSoundTag = 0x736f756e6473;  // "sounds"
    clip.sounds = draw_sounds(level, clip,
                              Random({kSoundTag, static_cast<std::uint64_t>(split), seed, index,
                                      options.unseen ? 1u : 0u}));
  }
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
    case Shape::figure:
      return false;
  }
  return false;
}

}  // namespace tarsier
