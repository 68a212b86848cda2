#include "tarsier/synth/timeline.h"

#include <algorithm>
#include <limits>

#include "tarsier/base/error.h"
#include "tarsier/synth/grid.h"
#include "tarsier/synth/motion.h"

namespace tarsier {
namespace {

// Sampled times may come from a file, rounded to its time base.
constexpr double kTimeSlack = 1e-3;

// 0 before the event, 1 after it, in between the share of its time that is over.
double progress(const Event& event, double seconds) {
  if (event.kind == EventKind::cut) return seconds >= (event.start + event.end) / 2 ? 1 : 0;
  return std::clamp((seconds - event.start) / (event.end - event.start), 0.0, 1.0);
}

bool is_past_middle(const Event& event, double seconds) {
  return seconds >= (event.start + event.end) / 2;
}

}  // namespace

bool concerns(const Event& event, int object) {
  return event.object == object || event.other == object;
}

Look look_after(const Event& event, int object, Look before) {
  if (event.kind == EventKind::swap) {
    if (object == event.object) before.cell = event.partner.cell;
    if (object == event.other) before.cell = event.actor.cell;
    return before;
  }
  if (event.kind == EventKind::follow) {
    if (object == event.object || object == event.other)
      before.cell = neighbour(before.cell, event.direction).value_or(before.cell);
    return before;
  }
  if (object != event.object) return before;
  switch (event.kind) {
    case EventKind::grow:
      before.size = ShapeSize::big;
      break;
    case EventKind::shrink:
      before.size = ShapeSize::small;
      break;
    case EventKind::recolour:
      before.colour = event.to_colour;
      break;
    case EventKind::recount:
      before.count = event.to_count;
      break;
    case EventKind::move:
    case EventKind::walk:
      before.cell = neighbour(before.cell, event.direction).value_or(before.cell);
      break;
    default:
      break;
  }
  return before;
}

SceneState state_at(const Clip& clip, double seconds) {
  SceneState state{.background = background_at(clip, seconds), .sprites = {}};
  if (clip.camera != Camera{}) {
    const double share = std::clamp(seconds / clip.seconds, 0.0, 1.0);
    state.view = {1 + (clip.camera.zoom - 1) * share, clip.camera.pan_x * share,
                  clip.camera.pan_y * share};
  }
  for (std::size_t i = 0; i < clip.objects.size(); ++i) {
    const int index = static_cast<int>(i);
    const Object& object = clip.objects[i];
    Look look = object.look;
    Rest rest;
    bool in_view = object.from_start;
    const Event* running = nullptr;
    for (const Event& event : clip.events) {
      if (!concerns(event, index) || seconds <= event.start) continue;
      if (event.kind == EventKind::appear) in_view = true;
      if (progress(event, seconds) < 1) {
        running = &event;
        break;
      }
      look = look_after(event, index, look);
      rest = rest_after(event, index, rest);
      if (event.kind == EventKind::disappear) in_view = false;
    }
    if (!in_view) continue;
    add_sprites(clip, index, look, rest, running,
                running == nullptr ? 0 : progress(*running, seconds), state.sprites);
  }
  std::stable_sort(state.sprites.begin(), state.sprites.end(),
                   [](const Sprite& a, const Sprite& b) { return a.layer < b.layer; });
  return state;
}

std::vector<Look> looks_at(const Clip& clip, double seconds) {
  std::vector<Look> looks;
  for (std::size_t i = 0; i < clip.objects.size(); ++i) {
    const int index = static_cast<int>(i);
    Look look = clip.objects[i].look;
    bool in_view = clip.objects[i].from_start;
    for (const Event& event : clip.events) {
      if (!concerns(event, index) || !is_past_middle(event, seconds)) continue;
      look = look_after(event, index, look);
      if (event.kind == EventKind::appear) in_view = true;
      if (event.kind == EventKind::disappear) in_view = false;
    }
    if (in_view) looks.push_back(look);
  }
  std::sort(looks.begin(), looks.end(),
            [](const Look& a, const Look& b) { return a.cell < b.cell; });
  return looks;
}

Background background_at(const Clip& clip, double seconds) {
  Background background = clip.background;
  for (const Event& event : clip.events) {
    if (event.kind == EventKind::cut && is_past_middle(event, seconds))
      background = event.to_background;
  }
  return background;
}

const Event* event_at(const Clip& clip, double seconds) {
  for (const Event& event : clip.events) {
    if (event.start <= seconds && seconds <= event.end) return &event;
  }
  return nullptr;
}

std::vector<const Event*> events_between(const Clip& clip, double from, double to) {
  std::vector<const Event*> events;
  for (const Event& event : clip.events) {
    if (event.start <= to && event.end >= from) events.push_back(&event);
  }
  return events;
}

FrameInterval frame_interval(const Event& event, std::span<const double> frame_seconds) {
  return frame_interval(event.start, event.end, frame_seconds);
}

FrameInterval frame_interval(double start, double end, std::span<const double> frame_seconds) {
  check(!frame_seconds.empty(), "a frame interval is over at least one frame");
  const auto count = static_cast<std::int64_t>(frame_seconds.size());
  FrameInterval interval{0, count - 1};
  for (std::int64_t i = 0; i < count; ++i) {
    if (frame_seconds[static_cast<std::size_t>(i)] <= start + kTimeSlack) interval.first = i;
  }
  for (std::int64_t i = count - 1; i >= 0; --i) {
    if (frame_seconds[static_cast<std::size_t>(i)] >= end - kTimeSlack) interval.last = i;
  }
  return interval;
}

std::vector<Happening> happenings(std::span<const Event> events,
                                  std::span<const ClipSound> sounds) {
  std::vector<Happening> all;
  auto sound = sounds.begin();
  const auto add_sounds_before = [&](double seconds) {
    for (; sound != sounds.end() && sound->start < seconds; ++sound)
      all.push_back({.sound = &*sound, .start = sound->start, .end = sound->end});
  };
  for (const Event& event : events) {
    add_sounds_before(event.start);
    all.push_back({.event = &event, .start = event.start, .end = event.end});
  }
  add_sounds_before(std::numeric_limits<double>::infinity());
  return all;
}

const Event* event_of(const Clip& clip, const ClipSound& sound) {
  return sound.event < 0 ? nullptr : &clip.events[static_cast<std::size_t>(sound.event)];
}

std::pair<double, double> seconds_of(FrameInterval interval, std::span<const double> frame_seconds,
                                     double duration) {
  const auto count = static_cast<std::int64_t>(frame_seconds.size());
  check(0 <= interval.first && interval.first <= interval.last && interval.last < count,
        "a frame interval lies in its frames");
  const auto at = [&](std::int64_t i) { return frame_seconds[static_cast<std::size_t>(i)]; };
  const double begin = interval.first == 0 ? 0 : (at(interval.first - 1) + at(interval.first)) / 2;
  const double end =
      interval.last + 1 == count ? duration : (at(interval.last) + at(interval.last + 1)) / 2;
  return {std::clamp(begin, 0.0, duration), std::clamp(end, 0.0, duration)};
}

std::int64_t frame_count(const Clip& clip) {
  return static_cast<std::int64_t>(clip.seconds * kFramesPerSecond + 0.5);
}

std::vector<double> sampled_seconds(const Clip& clip, std::int64_t count) {
  check(count >= 1, "at least one frame is sampled");
  const std::int64_t frames = frame_count(clip);
  std::vector<double> seconds;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t frame =
        count == 1 ? frames / 2 : (2 * i * (frames - 1) + (count - 1)) / (2 * (count - 1));
    seconds.push_back(static_cast<double>(frame) / kFramesPerSecond);
  }
  return seconds;
}

}  // namespace tarsier
