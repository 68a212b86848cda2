#include "tarsier/processors/frame_selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

// Containers round a clip's length to their own ticks; an --end this far past it means its end.
constexpr double kEndSlackSeconds = 0.1;

[[noreturn]] void refuse(const char* flag, std::string what, std::string hint) {
  throw ConfigError({flag, std::move(what), std::move(hint)});
}

void check_request(const SamplingRule& rule, const FrameRequest& request) {
  if (request.frames && request.fps)
    refuse("--fps", "was given together with --frames", "give one of the two");
  if (request.frames && *request.frames < 1) {
    refuse("--frames", fmt::format("is {}", *request.frames), "ask for at least 1");
  }
  if (request.frames && *request.frames > rule.max_frames) {
    refuse("--frames",
           fmt::format("is {}, the model takes at most {}", *request.frames, rule.max_frames),
           "ask for fewer");
  }
  if (request.fps && !(std::isfinite(*request.fps) && *request.fps > 0)) {
    refuse("--fps", fmt::format("is {}", *request.fps), "give frames per second above 0");
  }
}

FrameRange window_of(const VideoInfo& info, const std::vector<double>& frame_seconds,
                     const FrameRequest& request) {
  const auto check_time = [&](const char* flag, std::optional<double> seconds) {
    if (seconds && !(std::isfinite(*seconds) && *seconds >= 0)) {
      refuse(flag, fmt::format("is {}", *seconds), "give seconds from the start of the file");
    }
  };
  check_time("--start", request.start);
  check_time("--end", request.end);
  const double clip_end = std::max(info.seconds, frame_seconds.back());
  if (request.start && request.end && *request.start >= *request.end) {
    refuse("--start", fmt::format("is {:g} s and --end {:g} s", *request.start, *request.end),
           "the start comes before the end");
  }
  if (request.start &&
      (*request.start > clip_end || (*request.start == clip_end && clip_end > 0))) {
    refuse("--start", fmt::format("is {:g} s, the clip ends at {:g} s", *request.start, clip_end),
           "give a time inside the clip");
  }
  if (request.end && *request.end > clip_end + kEndSlackSeconds) {
    refuse("--end", fmt::format("is {:g} s, the clip ends at {:g} s", *request.end, clip_end),
           "give a time inside the clip, or leave it out");
  }
  if (request.end && *request.end < frame_seconds.front()) {
    refuse("--end",
           fmt::format("is {:g} s, the first frame comes at {:g} s", *request.end,
                       frame_seconds.front()),
           "give a later time");
  }
  if (!request.start && !request.end) return {0, info.frames - 1};
  return frames_in_window(frame_seconds, clip_end, request.start, request.end);
}

std::vector<std::int64_t> by_count(const SamplingRule& rule, FrameRange window,
                                   std::int64_t count) {
  if (rule.kind == SamplingRule::Kind::salmonn2_plus)
    return sample_truncated_linspace(window.first, window.last, count);
  if (rule.kind == SamplingRule::Kind::qwen2_vl)
    return sample_linspace(window.first, window.last, count);
  if (rule.kind == SamplingRule::Kind::llava)
    return sample_floored(window.first, window.last, count);
  if (rule.kind == SamplingRule::Kind::tarsier)
    return sample_repeating(window.first, window.last, count);
  if (rule.run_middles) return sample_run_middles(window.first, window.last, count);
  return sample_uniform(window.first, window.last, count);
}

double clip_rate(const VideoInfo& info) {
  if (info.frames_per_second > 0) return info.frames_per_second;
  refuse("--fps", "the file has no frame rate", "use --frames");
}

void check_rate_count(const SamplingRule& rule, double fps, double count) {
  if (count <= static_cast<double>(rule.max_frames)) return;
  refuse("--fps",
         fmt::format("{:g} frames a second are {:.0f} frames, the model takes at most {}", fps,
                     std::floor(count), rule.max_frames),
         "ask for a lower rate, or a shorter window with --start and --end");
}

/// Tarsier2: every n-th frame of the clip.
std::vector<std::int64_t> by_stride(const SamplingRule& rule, const VideoInfo& info,
                                    FrameRange window, double fps) {
  const auto step = static_cast<std::int64_t>(std::nearbyint(clip_rate(info) / fps));
  const std::int64_t count = (window.count() + step - 1) / step;
  check_rate_count(rule, fps, static_cast<double>(count));
  std::vector<std::int64_t> indices;
  for (std::int64_t i = window.first; i <= window.last; i += step) indices.push_back(i);
  return indices;
}

/// LLaVA: in whole steps of the clip's frames; a default that gives too many is spread evenly.
std::vector<std::int64_t> by_step(const SamplingRule& rule, const VideoInfo& info,
                                  FrameRange window, std::optional<double> asked) {
  if (asked) {
    const double step = std::max(1.0, std::nearbyint(clip_rate(info) / *asked));
    check_rate_count(rule, *asked, std::ceil(static_cast<double>(window.count()) / step));
  }
  const double fps = asked.value_or(rule.default_fps);
  // Without a rate of its own a clip is taken frame by frame.
  const double rate = info.frames_per_second > 0 ? info.frames_per_second : fps;
  return sample_by_step(window.first, window.last, rate, fps, rule.max_frames);
}

/// 0 where the clip has no rate.
double seconds_of(const VideoInfo& info, FrameRange window) {
  return info.frames_per_second > 0 ? static_cast<double>(window.count()) / info.frames_per_second
                                    : 0;
}

double length_of(const VideoInfo& info, FrameRange window, double clip_end,
                 const FrameRequest& request) {
  if (request.start || request.end)
    return request.end.value_or(clip_end) - request.start.value_or(0);
  return info.frames_per_second > 0 ? seconds_of(info, window) : clip_end;
}

/// Qwen2-VL: as many frames as the rate gives for the window's length, an even number, spread
/// evenly.
std::vector<std::int64_t> by_linspace(const SamplingRule& rule, const VideoInfo& info,
                                      FrameRange window, std::optional<double> asked) {
  const std::int64_t total = window.count();
  if (total == 1) return {window.first};
  double count = static_cast<double>(rule.min_frames);
  if (asked || info.frames_per_second > 0) {
    count = static_cast<double>(total) / clip_rate(info) * asked.value_or(rule.default_fps);
  }
  if (asked) {
    check_rate_count(rule, *asked, count);
    if (count < 2) {
      refuse("--fps", fmt::format("{:g} frames a second leave fewer than 2 frames", *asked),
             "ask for a higher rate, or use --frames");
    }
  } else {
    count = std::clamp(count, static_cast<double>(rule.min_frames),
                       static_cast<double>(rule.max_frames));
  }
  count = std::min(count, static_cast<double>(total));
  return sample_linspace(window.first, window.last, static_cast<std::int64_t>(count / 2) * 2);
}

/// video-SALMONN 2+: as many frames as the interval gives for the window's length.
std::vector<std::int64_t> by_interval(const SamplingRule& rule, const VideoInfo& info,
                                      FrameRange window, std::optional<double> asked) {
  const double seconds = seconds_of(info, window);
  if (!asked) {
    return by_count(
        rule, window,
        interval_frame_count(seconds, rule.frame_interval, rule.min_frames, rule.max_frames));
  }
  check_rate_count(rule, *asked, seconds * *asked);
  const auto count = static_cast<std::int64_t>(std::nearbyint(seconds * *asked));
  if (count < 1) {
    refuse("--fps", fmt::format("{:g} frames a second leave no frame", *asked),
           "ask for a higher rate, or use --frames");
  }
  return by_count(rule, window, count);
}

}  // namespace

SamplingRule tarsier_sampling() {
  return {.kind = SamplingRule::Kind::tarsier, .default_frames = 8, .max_frames = 128};
}

SamplingRule tarsier2_sampling(const Tarsier2Pipeline& pipeline) {
  return {.kind = SamplingRule::Kind::tarsier2,
          .default_frames = pipeline.default_frames,
          .max_frames = pipeline.max_frames,
          .run_middles = pipeline.run_middles};
}

SamplingRule qwen2_vl_sampling() {
  return {.kind = SamplingRule::Kind::qwen2_vl, .max_frames = 768};
}

SamplingRule salmonn2_sampling(double fps, std::int64_t max_frames) {
  return {.kind = SamplingRule::Kind::llava, .default_fps = fps, .max_frames = max_frames};
}

SamplingRule llava_onevision_sampling() {
  return {
      .kind = SamplingRule::Kind::llava, .default_frames = 16, .default_fps = 0, .max_frames = 160};
}

FrameChoice choose_frames(const SamplingRule& rule, const VideoInfo& info,
                          const std::vector<double>& frame_seconds, const FrameRequest& request) {
  check(info.frames > 0 && static_cast<std::int64_t>(frame_seconds.size()) == info.frames,
        "a clip has a time for each of its frames");
  check_request(rule, request);
  const FrameRange window = window_of(info, frame_seconds, request);
  const bool tarsier2 = rule.kind == SamplingRule::Kind::tarsier2;
  const bool tarsier = rule.kind == SamplingRule::Kind::tarsier;
  const bool llava = rule.kind == SamplingRule::Kind::llava;
  if (tarsier && request.fps) refuse("--fps", "is not a setting of this model", "use --frames");
  if (!tarsier && request.frames && *request.frames > window.count()) {
    refuse("--frames", fmt::format("is {}, there are {}", *request.frames, window.count()),
           "ask for fewer, or leave it out to take the model's default");
  }
  if (request.fps && *request.fps > clip_rate(info) * (1 + 1e-6)) {
    refuse("--fps",
           fmt::format("is {:g}, the clip has {:g} frames a second", *request.fps,
                       info.frames_per_second),
           "ask for a lower rate");
  }
  const bool salmonn2_plus = rule.kind == SamplingRule::Kind::salmonn2_plus;
  FrameChoice choice;
  if (tarsier) {
    choice.indices = by_count(rule, window, request.frames.value_or(rule.default_frames));
    // A GIF's frames are walked through once, so repeats collapse (models-tarsier.md 4.3).
    if (info.container == "gif") choice.indices = without_repeats(choice.indices);
    choice.sampler = "tarsier";
  } else if (request.frames) {
    choice.indices = by_count(rule, window, *request.frames);
    choice.sampler = salmonn2_plus      ? "salmonn2_plus count"
                     : llava            ? "llava count"
                     : !tarsier2        ? "qwen2_vl count"
                     : rule.run_middles ? "tarsier2 v2"
                                        : "tarsier2 v1";
  } else if (tarsier2 && request.fps) {
    choice.indices = by_stride(rule, info, window, *request.fps);
    choice.sampler = "tarsier2 fps";
  } else if (tarsier2) {
    choice.indices = by_count(rule, window, rule.default_frames);
    choice.sampler = rule.run_middles ? "tarsier2 v2" : "tarsier2 v1";
  } else if (salmonn2_plus) {
    choice.indices = by_interval(rule, info, window, request.fps);
    choice.sampler = request.fps ? "salmonn2_plus fps" : "salmonn2_plus interval";
  } else if (llava && (request.fps || rule.default_fps > 0)) {
    choice.indices = by_step(rule, info, window, request.fps);
    choice.sampler = "llava step";
  } else if (llava) {
    choice.indices = by_count(rule, window, std::min(rule.default_frames, window.count()));
    choice.sampler = "llava count";
  } else {
    choice.indices = by_linspace(rule, info, window, request.fps);
    choice.sampler = "qwen2_vl fps";
  }
  choice.part_seconds =
      length_of(info, window, std::max(info.seconds, frame_seconds.back()), request);
  for (const std::int64_t index : choice.indices) {
    choice.seconds.push_back(frame_seconds[static_cast<std::size_t>(index)]);
  }
  return choice;
}

}  // namespace tarsier
