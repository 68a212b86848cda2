#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "tarsier/base/random.h"
#include "tarsier/data/fraction.h"

namespace tarsier {

/// What is done to a video so that a model describes it worse: training.md 5.2, as Tarsier's
/// released code has it. Pure functions on the indices of the n frames that a model would see, in
/// order; what they give is shown in place of these. InputError when n is too small for it.
enum class Corruption {
  exchange,  // two of four segments change places
  reverse,   // a run of half to all of the frames is played backwards
  crop,      // n frames of a part of the duration
  discard,   // half of the frames
};
inline constexpr std::array kCorruptions = {Corruption::exchange, Corruption::reverse,
                                            Corruption::crop, Corruption::discard};

/// "exchange", "reverse", "crop", "discard".
const char* name_of(Corruption corruption);
std::optional<Corruption> corruption_named(std::string_view name);

/// Swaps segments `a` and `b` of 0 ... 3: ceil(n / 4) frames each, the last with what is left;
/// where that gives fewer than four (n = 5, 6, 9), as even as can be, the longer first. At least 4
/// frames.
std::vector<std::int64_t> exchange_segments(std::span<const std::int64_t> frames, std::int64_t a,
                                            std::int64_t b);

/// Turns `length` frames from place `start` around. At least 2 frames.
std::vector<std::int64_t> reverse_run(std::span<const std::int64_t> frames, std::int64_t start,
                                      std::int64_t length);

/// How many of n places a crop cuts off: ceil(n (1 - keep)); 0 < keep < 1. InputError when none
/// would be left.
std::int64_t cropped_places(std::int64_t n, const Fraction& keep);
/// n frames spread from the one at place `start` to the one at n - 1 - (cropped_places - start),
/// rounded down: numpy's linspace to int. `start` is 0 ... cropped_places; the frames ascend. A
/// short part gives a frame several times.
std::vector<std::int64_t> crop_frames(std::span<const std::int64_t> frames, std::int64_t start,
                                      const Fraction& keep);

/// The frames at these places, which ascend. The draw keeps floor(n / 2), so it needs 2 frames.
std::vector<std::int64_t> keep_frames(std::span<const std::int64_t> frames,
                                      std::span<const std::int64_t> places);

/// One corruption with all it needs drawn: segments, start and share (uniform over 1/2 to 1, times
/// n, rounded up), start of the part, places.
std::vector<std::int64_t> corrupt_frames(Corruption corruption,
                                         std::span<const std::int64_t> frames,
                                         const Fraction& crop_keep, Random& random);

}  // namespace tarsier
