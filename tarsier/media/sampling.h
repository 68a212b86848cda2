#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tarsier {

/// Which frames a model sees: pure functions on integers, one per upstream rule. Counts are at
/// least 1 and ranges are not empty; anything else is a broken promise (InternalError). "Half to
/// even" is exact, on integers.

/// Frames first .. last, both included.
struct FrameRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t count() const { return last - first + 1; }
  bool operator==(const FrameRange&) const = default;
};

/// Tarsier2, sampler v1. count 1: `first`; as many frames as there are or fewer: all; else i *
/// (L-1) / (count-1) rounded half to even, from `first`.
std::vector<std::int64_t> sample_uniform(std::int64_t first, std::int64_t last, std::int64_t count);

/// Tarsier2, sampler v2: the range in `count` runs, the first L mod count of them one longer; the
/// middle of each run (the earlier of two). No more frames than there are.
std::vector<std::int64_t> sample_run_middles(std::int64_t first, std::int64_t last,
                                             std::int64_t count);

/// Tarsier (first generation): like sample_uniform, but a short clip repeats frames and count 1
/// gives frame 0, whatever `first` is (as upstream).
std::vector<std::int64_t> sample_repeating(std::int64_t first, std::int64_t last,
                                           std::int64_t count);

/// `indices` with repeats left out: what Tarsier (first generation) makes of sample_repeating for a
/// GIF.
std::vector<std::int64_t> without_repeats(std::span<const std::int64_t> indices);

/// Every n-th frame of the whole clip, n = clip rate / wanted rate rounded half to even. Nothing
/// when that is more than `max_count` frames. Throws InputError when n would be 0 (a wanted rate at
/// least twice the clip's).
std::optional<std::vector<std::int64_t>> sample_by_rate(std::int64_t total, double clip_rate,
                                                        double wanted_rate, std::int64_t max_count);

/// What Tarsier2 is asked of one video.
struct Tarsier2Sampling {
  std::int64_t count = 16;                   // from frame_budget()
  std::optional<double> wanted_rate = {};    // frames per second
  std::vector<double> times = {};            // seconds; these frames and no others
  std::optional<double> start_seconds = {};  // both or neither take effect
  std::optional<double> end_seconds = {};
  bool run_middles = false;  // sampler v2
};
/// Tarsier2's whole rule for a clip of `total` frames at `clip_rate` frames per second (nothing for
/// a list of pictures). Throws InputError when no frame is left.
std::vector<std::int64_t> sample_tarsier2(std::int64_t total, std::optional<double> clip_rate,
                                          const Tarsier2Sampling& wanted);

/// Tarsier's (first generation) window: start and end times to frames by truncation, kept inside
/// the clip.
FrameRange tarsier_window(std::int64_t total, double clip_rate, double start_seconds,
                          double end_seconds);

/// One picture or video of a Tarsier2 request, for frame_budget().
struct BudgetItem {
  bool is_video = true;
  std::int64_t fixed_count = 0;  // > 0: exactly these many frames were asked for by index or time
  std::int64_t min_count = 0;    // > 0: start from here
  bool by_rate = false;          // a rate was asked for: start from max_frames
};
/// Tarsier2's split of a request's frames: one count per item, pictures 1 each; videos without a
/// fixed count grow in turn to `frames` in all, or shrink in turn to `max_frames`. Throws
/// InputError when a video is left without a frame.
std::vector<std::int64_t> frame_budget(std::span<const BudgetItem> items, std::int64_t frames = 16,
                                       std::int64_t max_frames = 256);

/// Qwen2-VL (qwen-vl-utils): how many frames, then which.
enum class QwenUtils { up_to_0_0_8, from_0_0_9 };
struct QwenSampling {
  QwenUtils version = QwenUtils::from_0_0_9;
  std::optional<std::int64_t> count = {};  // asked for outright
  double wanted_rate = 2.0;                // frames per second
  std::int64_t min_count = 4;
  std::optional<std::int64_t> max_count = {};  // else min(768, total)
};
/// An even number. Throws InputError unless it is within [2, total].
std::int64_t qwen_frame_count(std::int64_t total, double clip_rate, const QwenSampling& wanted);
/// torch.linspace(first, last, count) in float32, rounded half to even.
std::vector<std::int64_t> sample_linspace(std::int64_t first, std::int64_t last,
                                          std::int64_t count);
/// Both steps for a whole clip.
std::vector<std::int64_t> sample_qwen(std::int64_t total, double clip_rate,
                                      const QwenSampling& wanted);
/// video-SALMONN 2+: numpy.linspace(first, last, count) in f64, truncated, each frame once
/// (models-video-salmonn-2.md 3.2). A short clip gives fewer than `count`.
std::vector<std::int64_t> sample_truncated_linspace(std::int64_t first, std::int64_t last,
                                                    std::int64_t count);
/// video-SALMONN 2+: the clip's length / interval, rounded half to even, from min_count to
/// max_count.
std::int64_t interval_frame_count(double clip_seconds, double interval, std::int64_t min_count,
                                  std::int64_t max_count);
/// qwen-vl-utils' window: [ceil(start * rate), floor(end * rate)], kept inside the clip. Throws
/// InputError when empty.
FrameRange qwen_window(std::int64_t total, double clip_rate, double start_seconds,
                       double end_seconds);

/// Hugging Face's own video processor: trunc of i * (total / count) rounded to float32, as
/// torch.arange gives it (without the element past the end that its rounding sometimes adds).
/// Throws InputError when count > total.
std::vector<std::int64_t> sample_truncated(std::int64_t total, std::int64_t count);

/// numpy.linspace(first, last, count) in float64, rounded down.
std::vector<std::int64_t> sample_floored(std::int64_t first, std::int64_t last, std::int64_t count);

/// LLaVA's video-SALMONN 2: every n-th frame, n = clip rate / wanted rate rounded half to even and
/// at least 1; sample_floored where that is more than `max_count` frames
/// (models-video-salmonn-2.md 3.1).
std::vector<std::int64_t> sample_by_step(std::int64_t first, std::int64_t last, double clip_rate,
                                         double wanted_rate, std::int64_t max_count);

/// --start and --end, by presentation time, for any frame spacing: the frames on screen at some
/// moment of [start, end]. `frame_seconds` ascends and is not empty; the last frame stays until
/// `clip_seconds`; an end past the clip means its end. Throws InputError for a negative or
/// non-finite time, end < start, or a start at or past the end of the clip.
FrameRange frames_in_window(std::span<const double> frame_seconds, double clip_seconds,
                            std::optional<double> start_seconds, std::optional<double> end_seconds);

}  // namespace tarsier
