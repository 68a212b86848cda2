#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tarsier {

/// The moving-shapes world (spec: a 336 x 336 picture of 3 x 3 cells, 25 frames a second): plain
/// data that says what is in a clip and what happens when. Everything else in `synth` is a pure
/// function of a Clip.

enum class Shape { circle, square, triangle, cross, ring, star };
enum class Colour { red, green, blue, yellow, purple, orange, cyan };
enum class ShapeSize { small, big };
enum class Background { black, white, gray, brown, pink };
/// Ten names; the world counts eleven kinds because a move is drawn as horizontal or as vertical.
enum class EventKind { appear, disappear, move, grow, shrink, recolour, spin, jump, swap, cut };
enum class Direction { none, left, right, up, down };
enum class Split { train, validation, test };
enum class Language { english, chinese };
/// 0 to 8, row by row from the top left.
using Cell = int;

inline constexpr int kShapes = 6, kColours = 7, kSizes = 2, kBackgrounds = 5, kCells = 9;
inline constexpr int kEventKinds = 10;
inline constexpr int kFramesPerSecond = 25;

/// What a reader sees of one object at one time.
struct Look {
  Shape shape = Shape::circle;
  Colour colour = Colour::red;
  ShapeSize size = ShapeSize::small;
  Cell cell = 0;
  bool operator==(const Look&) const = default;
};

/// One object of a clip. No two objects of a clip ever have the same (colour, shape), at whatever
/// times, and an object never takes a colour twice; so a name means one thing in the whole clip.
struct Object {
  Look look;               // at its start
  bool from_start = true;  // in the opening scene; false: an appear event brings it
  int jitter_x = 0;        // its centre less the cell's centre, in pixels of 336
  int jitter_y = 0;
  bool operator==(const Object&) const = default;
};

/// One thing that happens. Times are multiples of 1/25 s. A cut is instantaneous: `end` is the
/// first source frame with the new background and `start` the frame before it.
struct Event {
  EventKind kind = EventKind::appear;
  double start = 0, end = 0;                     // seconds
  int object = -1;                               // index into Clip::objects; -1 for a cut
  int other = -1;                                // the swap's partner
  Direction direction = Direction::none;         // of a move
  Colour to_colour = Colour::red;                // of a recolour
  Background to_background = Background::black;  // of a cut
  Look actor{};    // the object as a reader knows it just before (for appear: just after)
  Look partner{};  // the same for the swap's partner; the actor is the first of the two in reading
                   // order
  bool operator==(const Event&) const = default;
};

/// The ranges a clip is drawn from; a level is data. Lengths in pixels of a 336-pixel side.
struct Level {
  std::string name;
  double seconds = 8;
  int min_objects = 1, max_objects = 3;  // in view at the start; never more than max_in_view later
  int max_in_view = 3;
  int min_events = 1, max_events = 3;
  double min_event_seconds = 1.4, max_event_seconds = 2.0;
  double gap_seconds = 0.32;     // between one event's end and the next one's start, at least
  double margin_seconds = 0.52;  // before the first event and after the last, at least
  int max_jitter = 6;
  bool operator==(const Level&) const = default;
};

/// A whole clip: a pure function of (level, split, seed, index, options), the same on every
/// machine.
struct Clip {
  std::string level;
  Split split = Split::train;
  std::uint64_t seed = 0, index = 0;
  double seconds = 0;
  Background background = Background::black;  // at the start
  std::vector<Look> opening;    // the objects of the first frame, in reading order of cells
  std::vector<Object> objects;  // the opening ones first, in the same order
  std::vector<Event> events;    // in order of time, never overlapping
  bool operator==(const Clip&) const = default;
};

/// What a reader of sampled frames knows of an event: the frames it lies in, 0-based, both
/// included.
struct FrameInterval {
  std::int64_t first = -1, last = -1;
  bool operator==(const FrameInterval&) const = default;
};

}  // namespace tarsier
