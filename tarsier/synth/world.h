#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tarsier {

/// The moving-shapes world (spec: a 336 x 336 picture of 3 x 3 cells, 25 frames a second): plain
/// data that says what is in a clip and what happens when. Everything else in `synth` is a pure
/// function of a Clip.

/// The six of the level base, then the stick figure.
enum class Shape { circle, square, triangle, cross, ring, star, figure };
enum class Colour { red, green, blue, yellow, purple, orange, cyan };
enum class ShapeSize { small, big };
enum class Background { black, white, gray, brown, pink };
/// The ten of the level base (eleven, where a move is counted as horizontal or as vertical), then
/// those of richer levels. Numbers of kinds are labels of trained models: new ones go to the end.
enum class EventKind {
  appear,
  disappear,
  move,  // to the next cell
  grow,
  shrink,
  recolour,
  spin,
  jump,
  swap,
  cut,
  touch,    // goes to the partner until both meet, and back
  bounce,   // goes to an edge of the picture, and back
  hide,     // goes behind the partner, stays a moment, and back
  follow,   // the partner moves to the next cell, the actor into the one it leaves
  recount,  // a group gains or loses members
  walk,     // a figure goes to the next cell, left or right
  wave,     // a figure waves
  fall      // a figure falls over and stays down
};
enum class Direction { none, left, right, up, down };
/// What may be heard. Numbers of beeps are kinds of their own, as pitches and directions are.
enum class SoundKind {
  low_tone,
  high_tone,
  two_beeps,
  three_beeps,
  four_beeps,
  click,
  rising_sweep,
  falling_sweep
};
enum class Split { train, validation, test };
enum class Language { english, chinese, spanish };
/// 0 to 8, row by row from the top left.
using Cell = int;

inline constexpr int kShapes = 6, kColours = 7, kSizes = 2, kBackgrounds = 5, kCells = 9;
inline constexpr int kEventKinds = 10;  // kShapes and kEventKinds: those of the level base
inline constexpr int kAllShapes = 7, kAllEventKinds = 18;
inline constexpr int kLeastInGroup = 2, kMostInGroup = 5;
inline constexpr int kSoundKinds = 8;
inline constexpr int kFramesPerSecond = 25;
inline constexpr std::array kLanguages = {Language::english, Language::chinese, Language::spanish};

/// What a reader sees of one object at one time.
struct Look {
  Shape shape = Shape::circle;
  Colour colour = Colour::red;
  ShapeSize size = ShapeSize::small;
  Cell cell = 0;
  int count = 1;  // members of a group of equal shapes; 1: no group; 0: a group, of whatever number
  bool operator==(const Look&) const = default;
};

constexpr bool is_group(const Look& look) { return look.count != 1; }
/// The same (colour, shape), and both or neither a group: what a name says.
constexpr bool same_name(const Look& a, const Look& b) {
  return a.colour == b.colour && a.shape == b.shape && is_group(a) == is_group(b);
}

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
  int other = -1;                                // the partner of a swap, touch, hide or follow
  Direction direction = Direction::none;         // of a move, bounce, follow or walk
  Colour to_colour = Colour::red;                // of a recolour
  Background to_background = Background::black;  // of a cut
  int to_count = 0;                              // of a recount
  Look actor{};    // the object as a reader knows it just before (for appear: just after)
  Look partner{};  // the same for the partner; of a swap the actor is the first of the two in
                   // reading order
  bool operator==(const Event&) const = default;
};

/// The order of a clip's events, and so of true descriptions: by start, then by object.
constexpr bool comes_before(const Event& a, const Event& b) {
  return a.start != b.start ? a.start < b.start : a.object < b.object;
}

/// One sound. Times are multiples of 1/25 s; no two sounds of a clip are less than 0.3 s apart.
struct ClipSound {
  SoundKind kind = SoundKind::click;
  double start = 0, end = 0;  // seconds
  int event = -1;  // index into Clip::events of the one it goes with, and starts with; -1: it comes
                   // from off screen, half a second at least from the start of any event
  double hertz = 0, to_hertz = 0;  // at its start and at its end: one pitch but for a sweep
  bool operator==(const ClipSound&) const = default;
};

/// How often each kind of event is tried first, against the others; 0: never.
using KindWeights = std::array<int, kAllEventKinds>;
inline constexpr KindWeights kBaseWeights = {1, 1, 2, 1, 1, 1, 1, 1, 1, 1};

/// The ranges a clip is drawn from; a level is data. Lengths in pixels of a 336-pixel side.
struct Level {
  std::string name;
  double seconds = 8, more_seconds = 0;  // a clip lasts `seconds` and up to `more_seconds` more
  std::int64_t frames = 8;               // sampled uniformly, enough to show every event under way
  int min_objects = 1, max_objects = 3;  // in view at the start; never more than max_in_view later
  int max_in_view = 3;
  int min_events = 1, max_events = 3;
  bool overlap = false;  // events of different objects may run at the same time, and last longer
                         // where the sampled frames are further apart
  double min_event_seconds = 1.4, max_event_seconds = 2.0;
  double gap_seconds = 0.32;     // between one event's end and the next one's start, at least; with
                                 // overlap: the next one's of the same object
  double margin_seconds = 0.52;  // before the first event and after the last, at least
  int max_jitter = 6;
  KindWeights weights = kBaseWeights;
  double figure_rate = 0, group_rate = 0;          // shares of the objects that are figures, groups
  double camera_rate = 0;                          // share of the clips whose camera moves
  double max_pan = 0, min_zoom = 1, max_zoom = 1;  // of such a clip, at its end
  double horizon_rate = 0;                         // share of the clips with a horizon
  int min_sounds = 0, max_sounds = 0;
  double tied_rate = 0;  // share of the sounds that go with an event, as far as there are events
  bool operator==(const Level&) const = default;
};

/// How the camera stands at the end of a clip; it gets there evenly from (1, 0, 0) at the start.
struct Camera {
  double zoom = 1;              // about the middle of the picture
  double pan_x = 0, pan_y = 0;  // what the picture's content is moved by, in pixels of 336
  bool operator==(const Camera&) const = default;
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
  std::vector<Event> events;    // in the order of comes_before; never two at once on one object
  Camera camera{};
  int horizon = 0;  // the first row of the ground, in pixels of 336; 0: no horizon
  int shapes = kShapes, event_kinds = kEventKinds;  // the first so many are this clip's world: what
                                                    // a question about it may name
  std::vector<ClipSound> sounds{};                  // by start; none but of the level av
  bool operator==(const Clip&) const = default;
};

/// What a reader of sampled frames knows of an event: the frames it lies in, 0-based, both
/// included.
struct FrameInterval {
  std::int64_t first = -1, last = -1;
  bool operator==(const FrameInterval&) const = default;
};

}  // namespace tarsier
