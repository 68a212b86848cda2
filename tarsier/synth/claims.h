#pragma once

#include <vector>

#include "tarsier/base/random.h"
#include "tarsier/synth/world.h"

namespace tarsier {

/// Statements about a clip for questions: which are the same, which are true, and false ones near
/// to true ones.

/// What an event of a kind has besides its actor.
bool has_partner(EventKind kind);    // swap, touch, hide, follow
bool has_direction(EventKind kind);  // move, bounce, follow, walk

/// Same kind, object names and arguments. An appearing object's size and place do not count.
bool same_claim(const Event& a, const Event& b);

/// False for a held-out (colour, shape) in words about a clip that shows none: a pair that is never
/// seen must not be learned as one that is always denied.
bool may_be_named(const Clip& clip, Colour colour, Shape shape);

/// How often the clip makes an event's claim true.
int times_true(const Clip& clip, const Event& claim);

/// A (colour, shape) that is in view at some time; looks carry no other meaning here.
bool is_ever_in_view(const Clip& clip, Colour colour, Shape shape);
std::vector<Look> names_in(const Clip& clip);

/// A claim the clip does not make true. `near`: differs from `truth` in one attribute: the kind,
/// the object (another of the clip), its colour or its shape, or the argument; else any object and
/// kind.
Event false_claim(const Clip& clip, const Event& truth, bool near, Random& random);

/// A (colour, shape) never in view. `near`: differs from one that is in its colour or in its shape
/// only.
Look false_name(const Clip& clip, const Look& truth, bool near, Random& random);

}  // namespace tarsier
