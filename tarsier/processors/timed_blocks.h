#pragma once

#include <cstdint>
#include <vector>

#include "tarsier/processors/media_block.h"

namespace tarsier {

// Blocks of Qwen2.5-VL and video-SALMONN 2+, whose positions follow the clock: MediaRun::step
// counts steps of time from the block's beginning.

/// The step of each of `slices` temporal slices: trunc(i * seconds_per_slice * steps_per_second),
/// in f32 as upstream (models-video-salmonn-2.md 2.9, trap 16).
std::vector<std::int64_t> time_steps(std::int64_t slices, double seconds_per_slice,
                                     double steps_per_second);

/// Pictures alone, a run for each temporal slice. An image has one slice, at step 0.
MediaBlock timed_picture_block(Modality modality, const PatchGrid& grid, std::int64_t merge_size,
                               const std::vector<std::int64_t>& steps);

/// How the tokens of a video's sound are dealt out behind its slices.
enum class SoundGrouping {
  by_time,  // behind the slice during which they start: version 2509, what the published weights
            // were trained with
  evenly,   // as many behind each, one more behind the first: version 2507
};

/// `tokens` of sound behind the slices that begin at `steps` (two steps a second, one token a
/// step) -> one count a slice, which add up to `tokens`. A slice takes what is left when sound ends
/// early; the last takes all that remains (models-video-salmonn-2.md 2.9, trap 15).
std::vector<std::int64_t> deal_by_time(std::int64_t tokens, const std::vector<std::int64_t>& steps);
/// The same without a clock: the remainder of tokens / slices is spread over the slices.
std::vector<std::int64_t> deal_spread(std::int64_t tokens, std::int64_t slices);
/// The same with the remainder on the first slices: version 2507.
std::vector<std::int64_t> deal_first(std::int64_t tokens, std::int64_t slices);

/// A video with its sound: each slice's tokens, then those of its sound. `steps` and `dealt` have
/// one entry a slice. A run of sound has the number of its first token as its step.
MediaBlock heard_video_block(const PatchGrid& grid, std::int64_t merge_size,
                             const std::vector<std::int64_t>& steps,
                             const std::vector<std::int64_t>& dealt);

/// Sound alone.
MediaBlock sound_block(std::int64_t tokens);

}  // namespace tarsier
