#include "tarsier/synth/sounds.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

// In source frames.
constexpr std::int64_t kGap = 8;               // between one sound's end and the next one's start
constexpr std::int64_t kFromEventStarts = 13;  // of a sound that goes with no event

std::int64_t frame_at(double seconds) { return std::llround(seconds * kFramesPerSecond); }

enum class Family { tone, beeps, click, sweep };

Family family_of(SoundKind kind) {
  switch (kind) {
    case SoundKind::low_tone:
    case SoundKind::high_tone:
      return Family::tone;
    case SoundKind::two_beeps:
    case SoundKind::three_beeps:
    case SoundKind::four_beeps:
      return Family::beeps;
    case SoundKind::click:
      return Family::click;
    case SoundKind::rising_sweep:
    case SoundKind::falling_sweep:
      break;
  }
  return Family::sweep;
}

std::int64_t draw_length(SoundKind kind, Random& random) {
  switch (family_of(kind)) {
    case Family::tone:
      return random.integer(10, 25);
    case Family::beeps:
      return (2 * beeps_in(kind) - 1) * random.integer(3, 4);
    case Family::click:
      return 1;
    case Family::sweep:
      break;
  }
  return random.integer(13, 30);
}

void draw_pitch(ClipSound& sound, Random& random) {
  switch (sound.kind) {
    case SoundKind::low_tone:
      sound.hertz = random.uniform(220, 330);
      break;
    case SoundKind::high_tone:
      sound.hertz = random.uniform(880, 1320);
      break;
    case SoundKind::click:
      sound.hertz = random.uniform(1800, 2200);
      break;
    case SoundKind::rising_sweep:
    case SoundKind::falling_sweep:
      sound.hertz = random.uniform(250, 400);
      sound.to_hertz = random.uniform(1200, 1800);
      if (sound.kind == SoundKind::falling_sweep) std::swap(sound.hertz, sound.to_hertz);
      return;
    default:
      sound.hertz = random.uniform(900, 1100);
      break;
  }
  sound.to_hertz = sound.hertz;
}

// A sound that has its length from 0 on, to be put in its place.
ClipSound draw_sound(Random& random) {
  ClipSound sound{.kind = static_cast<SoundKind>(random.integer(0, kSoundKinds - 1))};
  sound.end = static_cast<double>(draw_length(sound.kind, random)) / kFramesPerSecond;
  draw_pitch(sound, random);
  return sound;
}

void put_at(ClipSound& sound, std::int64_t frame) {
  const std::int64_t length = frame_at(sound.end);
  sound.start = static_cast<double>(frame) / kFramesPerSecond;
  sound.end = static_cast<double>(frame + length) / kFramesPerSecond;
}

// A click always has room, so that drawing again until there is some comes to an end.
ClipSound draw_tied(const Clip& clip, int event, std::int64_t latest_end, Random& random) {
  const std::int64_t start = frame_at(clip.events[static_cast<std::size_t>(event)].start);
  while (true) {
    ClipSound sound = draw_sound(random);
    if (start + frame_at(sound.end) > latest_end) continue;
    put_at(sound, start);
    sound.event = event;
    return sound;
  }
}

ClipSound draw_apart(const Clip& clip, const std::vector<ClipSound>& others, Random& random) {
  while (true) {
    ClipSound sound = draw_sound(random);
    const std::int64_t length = frame_at(sound.end);
    std::vector<std::int64_t> free;
    for (std::int64_t start = 0; start + length <= frame_count(clip); ++start) {
      const bool by_an_event =
          std::any_of(clip.events.begin(), clip.events.end(), [&](const Event& event) {
            return std::abs(frame_at(event.start) - start) < kFromEventStarts;
          });
      const bool by_a_sound =
          std::any_of(others.begin(), others.end(), [&](const ClipSound& other) {
            return start < frame_at(other.end) + kGap &&
                   frame_at(other.start) < start + length + kGap;
          });
      if (!by_an_event && !by_a_sound) free.push_back(start);
    }
    if (free.empty()) continue;
    put_at(sound, random.pick(free));
    return sound;
  }
}

}  // namespace

std::vector<ClipSound> draw_sounds(const Level& level, const Clip& clip, Random random) {
  const std::int64_t count = random.integer(level.min_sounds, level.max_sounds);
  std::vector<int> tied(clip.events.size());
  std::iota(tied.begin(), tied.end(), 0);
  random.shuffle(tied);
  std::size_t wanted = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (random.chance(level.tied_rate)) ++wanted;
  }
  tied.resize(std::min(wanted, tied.size()));
  std::sort(tied.begin(), tied.end());
  std::vector<ClipSound> sounds;
  for (std::size_t i = 0; i < tied.size(); ++i) {
    const std::int64_t latest_end =
        i + 1 == tied.size()
            ? frame_count(clip)
            : frame_at(clip.events[static_cast<std::size_t>(tied[i + 1])].start) - kGap;
    sounds.push_back(draw_tied(clip, tied[i], latest_end, random));
  }
  while (static_cast<std::int64_t>(sounds.size()) < count)
    sounds.push_back(draw_apart(clip, sounds, random));
  std::sort(sounds.begin(), sounds.end(),
            [](const ClipSound& a, const ClipSound& b) { return a.start < b.start; });
  return sounds;
}

int beeps_in(SoundKind kind) {
  switch (kind) {
    case SoundKind::two_beeps:
      return 2;
    case SoundKind::three_beeps:
      return 3;
    case SoundKind::four_beeps:
      return 4;
    default:
      return 0;
  }
}

double hertz_at(const ClipSound& sound, double at) {
  return sound.hertz +
         (sound.to_hertz - sound.hertz) * (at - sound.start) / (sound.end - sound.start);
}

std::vector<double> beep_starts(const ClipSound& sound) {
  const int beeps = beeps_in(sound.kind);
  std::vector<double> starts;
  for (int beep = 0; beep < beeps; ++beep)
    starts.push_back(sound.start + 2 * beep * (sound.end - sound.start) / (2 * beeps - 1));
  return starts;
}

bool is_near(SoundKind a, SoundKind b) { return a != b && family_of(a) == family_of(b); }

}  // namespace tarsier
