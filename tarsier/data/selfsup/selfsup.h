#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tarsier/data/record.h"
#include "tarsier/data/stages/row_stage.h"

namespace tarsier {

/// Tasks that need no annotation: training.md 2.4.
struct SelfSupervisedSettings {
  bool order = true;                             // put shuffled frames in order
  bool reversal = true;                          // is it played backwards?
  bool matching = true;                          // which clip is of the same video?
  std::int64_t min_frames = 8, max_frames = 24;  // of an order or reversal row
  std::int64_t candidates = 3;                   // clips to choose from, the right one among them
  std::uint64_t seed = 1;

  std::string json() const;  // for settings.json
};

/// A video that a task is made of: `frames` of it from `first` on.
struct SourceVideo {
  std::string file;  // as the row gives it
  std::int64_t first = 0, frames = 0;
};

/// `count` frames, shuffled. The prompt says the true place, from 1, of the first floor(3 count /
/// 8) of them; the answer is the places of the others, one a line. `seed` draws count and order.
Record frame_order_row(const SourceVideo& video, const SelfSupervisedSettings& settings,
                       std::uint64_t seed);

/// Frames forwards or backwards, each as likely, with the answer "Yes." when backwards.
Record reversal_row(const SourceVideo& video, const SelfSupervisedSettings& settings,
                    std::uint64_t seed);

/// Frames of the first half of a video, and `others.size()` + 1 clips: one is its second half, in a
/// drawn place, the others are halves of other videos. The answer is the place, from 1.
Record matching_row(const SourceVideo& video, const std::vector<SourceVideo>& others,
                    const SelfSupervisedSettings& settings, std::uint64_t seed);

/// The stage: up to three rows for each video, however many rows name it. Frames are named by
/// `frame_indices`, so the rows point at the videos as they are and only Tarsier's shape holds
/// them. Dropped: rows without a video, or with one that is too short, or that came before. Choices
/// are a function of the seed and the video's path as the row gives it; the other clips of matching
/// are drawn from the last 64 videos.
RowStage make_self_supervised_stage(const SelfSupervisedSettings& settings);

}  // namespace tarsier
