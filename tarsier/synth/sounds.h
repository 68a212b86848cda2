#pragma once

#include <vector>

#include "tarsier/base/random.h"
#include "tarsier/synth/world.h"

namespace tarsier {

/// What a clip sounds like: which sounds, when, and of which pitch. soundtrack.h makes samples of
/// them.

/// The sounds of a clip whose events are drawn, by start. Some go with an event each and start with
/// it; the others keep half a second from the start of every event, so nobody takes them for its
/// sound. A tone lasts 0.4 to 1 s, a sweep 0.52 to 1.2 s, a click 0.04 s; beeps are as long as the
/// silence between them, 0.12 or 0.16 s.
std::vector<ClipSound> draw_sounds(const Level& level, const Clip& clip, Random random);

/// 2 to 4; 0 of what is no beeps.
int beeps_in(SoundKind kind);

/// What is heard at a time between a sound's start and end: a sweep's pitch changes evenly.
double hertz_at(const ClipSound& sound, double at);

/// When each of a sound's beeps begins, in order; empty of what is no beeps.
std::vector<double> beep_starts(const ClipSound& sound);

/// Sounds that differ in their pitch, direction or number alone.
bool is_near(SoundKind a, SoundKind b);

}  // namespace tarsier
