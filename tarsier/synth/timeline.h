#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "tarsier/synth/world.h"

namespace tarsier {

/// The picture's plan, in pixels of a 336-pixel side.
inline constexpr double kPictureSide = 336, kCellSide = 112;
inline constexpr double kSmallRadius = 33, kBigRadius = 52;
/// A jump's height, twice a jump; the turn of a spin, which leaves the object tilted.
inline constexpr double kJumpHeight = 45, kSpinTurns = 405.0 / 360.0;
/// A group's members, and how far they stand from its cell's centre, each way.
inline constexpr double kMemberRadius = 19, kMemberDistance = 30;

/// One object as it is drawn at one time. Lengths in pixels of a 336-pixel side, y down.
struct Sprite {
  int object = 0;
  Shape shape = Shape::circle;
  double x = 0, y = 0;  // centre
  double radius = 0;
  double turns = 0;             // clockwise rotation; 1 is a full turn
  double opacity = 1;           // 0 to 1
  std::array<double, 3> rgb{};  // 0 to 255
  double stride = 0;            // a figure's feet: -1 to 1, 0 together
  double wave = 0;              // its hand: 0 down; 1 to 3 up, from the one side to the other
  int layer = 0;                // lower ones are drawn first
};

/// Where the camera stands: (x, y) of the world is drawn at (x - 168) * zoom + 168 + this x, and so
/// for y.
struct View {
  double zoom = 1, x = 0, y = 0;
  bool operator==(const View&) const = default;
};

struct SceneState {
  Background background = Background::black;
  std::vector<Sprite> sprites;  // what is in view, in drawing order; fading objects included; one
                                // for each member of a group
  View view{};
};

/// The picture's content at a time in seconds (clamped to the clip).
SceneState state_at(const Clip& clip, double seconds);

/// The names of what is in view at a time, in reading order of cells. During an event its actor
/// still has the look from before it until the event's middle and the look after it from then on;
/// so an appearing object is listed from the middle of its event.
std::vector<Look> looks_at(const Clip& clip, double seconds);
Background background_at(const Clip& clip, double seconds);

/// True of an event's actor and its partner.
bool concerns(const Event& event, int object);

/// The look of object `object`, whose look before `event` is `before`, once the event is over. An
/// appearing or disappearing object keeps its look; whether it is in view is another matter.
Look look_after(const Event& event, int object, Look before);

/// The first event in progress at a time (start <= seconds <= end), or null. Points into `clip`.
const Event* event_at(const Clip& clip, double seconds);
/// The events that overlap [from, to], in order. Points into `clip`.
std::vector<const Event*> events_between(const Clip& clip, double from, double to);

/// The frame interval of an event over sampled frames (seconds, ascending, at least one): from the
/// last frame at or before its start to the first frame at or after its end, clamped to the frames
/// there are. So the first frame shows the scene before, the last the scene after, and those
/// between show it happening; a cut has two frames, or one when a clamp makes them equal.
/// Neighbouring events may share frames.
FrameInterval frame_interval(const Event& event, std::span<const double> frame_seconds);

/// The same of anything that starts and ends at these seconds, as a sound does.
FrameInterval frame_interval(double start, double end, std::span<const double> frame_seconds);

/// One thing that a description tells, of a clip's events and sounds: the one or the other.
struct Happening {
  const Event* event = nullptr;
  const ClipSound* sound = nullptr;
  double start = 0, end = 0;
};

/// Events in the order given, and each sound before the first event that starts later than it does;
/// so an event comes before the sound that goes with it. Points into the arguments.
std::vector<Happening> happenings(std::span<const Event> events, std::span<const ClipSound> sounds);

/// The event a sound goes with, or null. Points into `clip`.
const Event* event_of(const Clip& clip, const ClipSound& sound);

/// Seconds that a frame interval stands for: half-way to the frame before the first, half-way to
/// the frame after the last, clamped to [0, duration].
std::pair<double, double> seconds_of(FrameInterval interval, std::span<const double> frame_seconds,
                                     double duration);

/// Frames of the whole clip, at 25 a second.
std::int64_t frame_count(const Clip& clip);

/// Times of `count` frames taken uniformly from the first to the last frame of a clip:
/// index round(i * (frames - 1) / (count - 1)), halves up; the middle frame when count is 1.
std::vector<double> sampled_seconds(const Clip& clip, std::int64_t count);

}  // namespace tarsier
