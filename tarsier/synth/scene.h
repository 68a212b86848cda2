#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/synth/world.h"

namespace tarsier {

/// "easy", "base", "rich" or "av". Throws ConfigError for any other name.
const Level& level_named(std::string_view name);
std::vector<std::string> level_names();
std::string level_list();  // "easy, base, rich or av"

struct ClipOptions {
  /// A clip of the "unseen" set: one object of the opening scene has a held-out (colour, shape),
  /// and objects may be recoloured into one. Only Split::test may ask for it.
  bool unseen = false;
};

/// Clip `index` of `seed` in `split`, drawn from a counter-based stream keyed by these (and the
/// option), so splits never share a clip. Without `unseen` no clip of any split shows a held-out
/// pair: unseen pairs are tested apart. Thread-safe.
Clip make_clip(const Level& level, Split split, std::uint64_t seed, std::uint64_t index,
               ClipOptions options = {});

/// The six (colour, shape) pairs that no training or validation clip shows: one of each shape of
/// the level base, six colours.
bool is_held_out(Colour colour, Shape shape);

}  // namespace tarsier
