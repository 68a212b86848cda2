#pragma once

#include <vector>

#include "tarsier/base/random.h"
#include "tarsier/synth/world.h"

namespace tarsier {

/// Statements about a clip's sounds: which are true, and false ones near to true ones.

/// A sound of that kind is heard in the clip; while an event happens, or another one that is told
/// alike.
bool is_heard(const Clip& clip, SoundKind kind);
bool is_heard_during(const Clip& clip, SoundKind kind, const Event& event);

/// Sounds the clip does not have, each of which differs from `truth` in one thing: the pitch, the
/// direction or the number, or the event it is said to go with. None is true in other words: one
/// without an event is heard nowhere in the clip, one with an event not while that happens. Often
/// none, of a click.
std::vector<ClipSound> near_sounds(const Clip& clip, const ClipSound& truth);

/// One of these; where there are none, another kind of sound that is not heard at all.
ClipSound false_sound(const Clip& clip, const ClipSound& truth, Random& random);

/// A kind of sound that is not heard in the clip. `near`: one that differs from `truth` in pitch,
/// direction or number alone, if there is one.
SoundKind false_kind(const Clip& clip, SoundKind truth, bool near, Random& random);

}  // namespace tarsier
