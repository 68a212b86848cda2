#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tarsier/data/corrupt/corruption_keys.h"
#include "tarsier/data/stages/row_stage.h"

namespace tarsier {

struct CorruptionSettings {
  std::vector<Corruption> kinds = {kCorruptions.begin(), kCorruptions.end()};  // drawn from these
  std::int64_t per_row = 1;                                                    // corruptions
  std::int64_t frames = 16;  // of a video whose row does not say it
  Fraction crop_keep{1, 2};  // of the duration, at least 1/4: the paper's half, the code has 3/4
  std::uint64_t seed = 1;

  std::string json() const;  // for settings.json
};

/// The fewest frames a row's video must give: four segments of one frame.
inline constexpr std::int64_t kFewestIntactFrames = 4;

/// `per_row` corruptions of a video's frames, which ascend: each kind as likely as the others, and
/// each once before any comes again. `key` and the settings' seed draw everything.
std::vector<CorruptedFrames> draw_corruptions(std::span<const std::int64_t> frames,
                                              const CorruptionSettings& settings,
                                              std::uint64_t key);

/// The stage: rows stay as they are, with the keys `corruptions` and `corrupted_from` added; no
/// video is copied. A row has one video, or one list of pictures. Its frames are its
/// `frame_indices`, else spread evenly over it within `start_time` and `end_time` or `start_frame`
/// and `end_frame`, as many as its `n_frames` or the settings say. Dropped: rows without a video or
/// with several, with too few frames, frames in another order, frames chosen otherwise (`fps`,
/// `time_indices`, `min_n_frames`), masks of each frame. Draws are a function of the seed, of the
/// video's path and times as the row gives them, and of the question. InputError: a video that
/// cannot be opened, a row that has the keys already.
RowStage make_corruption_stage(const CorruptionSettings& settings);

}  // namespace tarsier
