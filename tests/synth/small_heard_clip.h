#pragma once

#include "tarsier/synth/world.h"

namespace tarsier {

/// A small red circle jumps at 1 s with a low tone; three beeps off screen at 5 s.
inline Clip small_heard_clip() {
  const Look circle{Shape::circle, Colour::red, ShapeSize::small, 0};
  Event jump{.kind = EventKind::jump, .start = 1, .end = 2.6, .object = 0};
  jump.actor = circle;
  Clip clip{.level = "av",
            .seconds = 8,
            .background = Background::gray,
            .opening = {circle},
            .objects = {{.look = circle}},
            .events = {jump}};
  clip.sounds = {{.kind = SoundKind::low_tone, .start = 1, .end = 1.6, .event = 0},
                 {.kind = SoundKind::three_beeps, .start = 5, .end = 5.6}};
  return clip;
}

}  // namespace tarsier
