#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "tarsier/base/random.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {

/// What lies behind the objects, rgb [side, side, 3].

/// A colour with a smooth random field of -5 to 5 levels on it: what makes the background a
/// surface. Its knots are 28 pixels of 336 apart; in between it is bilinear, in integers.
std::vector<std::uint8_t> textured(std::array<std::uint8_t, 3> rgb, std::int64_t side,
                                   Random random);

/// Shades the rows from `horizon` (pixels of 336) down: darker, of a dark colour lighter.
void draw_ground(std::vector<std::uint8_t>& canvas, std::int64_t side, int horizon);

/// The surface as the camera sees it; beyond its edges they go on.
void draw_seen_from(const std::vector<std::uint8_t>& canvas, std::int64_t side, const View& view,
                    std::span<std::uint8_t> rgb);

}  // namespace tarsier
