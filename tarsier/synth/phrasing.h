#pragma once

#include <span>
#include <string>
#include <vector>

#include "tarsier/base/random.h"
#include "tarsier/synth/world.h"

namespace tarsier {

/// A clip in words; `random` only chooses among paraphrases. Every sentence is inverted by
/// grammar.h.

/// The opening scene, then the events in order (comes_before) and the sounds among them by time;
/// "then" may stand before one that begins after the one before it ends, "meanwhile" before one
/// that does not: "On a gray background, there is a small red circle at the top left and a big blue
/// star in the center. The red circle moves right. Then the red circle turns blue."
std::string describe(const Clip& clip, Language language, Random& random);

/// The same of some events and sounds in place of the clip's; a sound's event stays one of the
/// clip's.
std::string describe_told(const Clip& clip, std::span<const Event> events,
                          std::span<const ClipSound> sounds, Language language, Random& random);

/// The same, each event after its frame interval in Tarsier2's notation, 1-based over
/// `frame_seconds`:
/// "... in the center.<frame: 2-4>The red circle moves right.<frame: 5-7>The red circle turns
/// blue."
std::string describe_with_intervals(const Clip& clip, std::span<const double> frame_seconds,
                                    Language language, Random& random);

/// One short sentence as alt text has: the scene without places, or one of the events; often
/// incomplete. With probability `wrong_rate` one thing in it is false.
std::string short_caption(const Clip& clip, Language language, Random& random,
                          double wrong_rate = 0);

/// "<frame: 2-4>", or "<frame: 2>" when first and last are one; from a 0-based interval.
std::string frame_marker(FrameInterval interval);

/// "red circle"; with_article: "a red circle", "an orange square"; with_definite_article: "the red
/// circle" (Chinese has no articles). Of a group: "group of red circles", and so on.
std::string object_name(const Look& look, Language language);
std::string with_article(const Look& look, Language language);
std::string with_definite_article(const Look& look, Language language);
/// "red circles": a group's members.
std::string members_name(const Look& look, Language language);
/// "a red circle, a blue star and an orange ring".
std::string object_list(const std::vector<Look>& looks, Language language);

/// One event as a clause without capital and stop, in the first phrasing: "the red circle moves
/// right".
std::string event_clause(const Event& event, Language language);
/// The same in any of its phrasings.
std::string any_clause(const Event& event, Language language, Random& random);
/// A clause with capital and stop.
std::string as_sentence(std::string clause, Language language);

}  // namespace tarsier
