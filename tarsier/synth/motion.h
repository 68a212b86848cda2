#pragma once

#include <vector>

#include "tarsier/synth/timeline.h"

namespace tarsier {

/// What past events left of an object that its look does not say.
struct Rest {
  double turns = 0;
  bool fallen = false;
};
Rest rest_after(const Event& event, int object, Rest before);

/// Adds what one object is drawn as (several sprites for a group) when it has that look and rest,
/// `share` (0 to 1) of `running` being over; null: it does nothing.
void add_sprites(const Clip& clip, int object, const Look& look, const Rest& rest,
                 const Event* running, double share, std::vector<Sprite>& sprites);

}  // namespace tarsier
