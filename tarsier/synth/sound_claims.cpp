#include "tarsier/synth/sound_claims.h"

#include <algorithm>

#include "tarsier/synth/event_match.h"
#include "tarsier/synth/sounds.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

bool is_false(const Clip& clip, const ClipSound& claim) {
  const Event* event = event_of(clip, claim);
  return event == nullptr ? !is_heard(clip, claim.kind)
                          : !is_heard_during(clip, claim.kind, *event);
}

}  // namespace

bool is_heard(const Clip& clip, SoundKind kind) {
  return std::any_of(clip.sounds.begin(), clip.sounds.end(),
                     [&](const ClipSound& sound) { return sound.kind == kind; });
}

bool is_heard_during(const Clip& clip, SoundKind kind, const Event& event) {
  const ParsedEvent told = told_event(event);
  return std::any_of(clip.sounds.begin(), clip.sounds.end(), [&](const ClipSound& sound) {
    if (sound.kind != kind) return false;
    const std::vector<const Event*> beside = events_between(clip, sound.start, sound.end);
    return std::any_of(beside.begin(), beside.end(),
                       [&](const Event* other) { return same_event(told_event(*other), told); });
  });
}

std::vector<ClipSound> near_sounds(const Clip& clip, const ClipSound& truth) {
  std::vector<ClipSound> near;
  const auto add = [&](const ClipSound& claim) {
    if (is_false(clip, claim)) near.push_back(claim);
  };
  for (int kind = 0; kind < kSoundKinds; ++kind) {
    ClipSound claim = truth;
    claim.kind = static_cast<SoundKind>(kind);
    if (is_near(claim.kind, truth.kind)) add(claim);
  }
  for (std::size_t i = 0; i < clip.events.size(); ++i) {
    ClipSound claim = truth;
    claim.event = static_cast<int>(i);
    claim.start = clip.events[i].start;
    claim.end = claim.start + truth.end - truth.start;
    add(claim);
  }
  return near;
}

ClipSound false_sound(const Clip& clip, const ClipSound& truth, Random& random) {
  if (const std::vector<ClipSound> near = near_sounds(clip, truth); !near.empty())
    return random.pick(near);
  ClipSound claim = truth;
  claim.kind = false_kind(clip, truth.kind, false, random);
  return claim;
}

SoundKind false_kind(const Clip& clip, SoundKind truth, bool near, Random& random) {
  std::vector<SoundKind> close, all;
  for (int value = 0; value < kSoundKinds; ++value) {
    const auto kind = static_cast<SoundKind>(value);
    if (is_heard(clip, kind)) continue;
    all.push_back(kind);
    if (is_near(kind, truth)) close.push_back(kind);
  }
  return random.pick(near && !close.empty() ? close : all);
}

}  // namespace tarsier
