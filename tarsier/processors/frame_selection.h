#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/media/sampling.h"
#include "tarsier/media/video_reader.h"
#include "tarsier/processors/qwen2_vl_config.h"

namespace tarsier {

/// What a user asks for: --frames, --fps, --start and --end. Unset: the model's own default.
struct FrameRequest {
  std::optional<std::int64_t> frames = {};
  std::optional<double> fps = {};
  std::optional<double> start = {};  // seconds from the start of the file
  std::optional<double> end = {};
};

/// A family's way to choose frames.
struct SamplingRule {
  enum class Kind { tarsier, tarsier2, qwen2_vl, llava, salmonn2_plus };
  Kind kind = Kind::tarsier2;
  std::int64_t default_frames = 16;  // tarsier, tarsier2, llava without a default_fps
  double default_fps = 2;            // qwen2_vl, llava: 0 for none
  std::int64_t min_frames = 4;       // qwen2_vl, salmonn2_plus, of the default
  std::int64_t max_frames = 256;
  bool run_middles = false;     // tarsier2, sampler v2
  double frame_interval = 0.1;  // salmonn2_plus: seconds between frames
};
/// Tarsier, first generation: a count, never a rate (models-tarsier.md 4.3).
SamplingRule tarsier_sampling();
SamplingRule tarsier2_sampling(const Tarsier2Pipeline& pipeline);
SamplingRule qwen2_vl_sampling();  // Qwen2.5-VL's too
/// video-SALMONN 2: `fps` frames a second in whole steps, spread evenly where they are too many
/// (models-video-salmonn-2.md 3.1).
SamplingRule salmonn2_sampling(double fps, std::int64_t max_frames);
/// LLaVA-OneVision: a count, spread evenly.
SamplingRule llava_onevision_sampling();

struct FrameChoice {
  std::vector<std::int64_t> indices;  // ascending; Tarsier (first) repeats frames of a short clip
  std::vector<double> seconds;        // when each is shown
  double part_seconds = 0;  // of the part looked at: its frames over their rate, or the window's
  std::string sampler;  // for people and --json: "tarsier2 v1", "tarsier2 fps", "qwen2_vl fps", ...
};

/// Chooses the frames of one clip; `frame_seconds` is VideoReader's. A setting is honoured or
/// refused, never clamped: ConfigError names the flag for a count or rate that is not positive,
/// more frames than the model takes or the window holds, a rate above the clip's, both a count and
/// a rate, and a window that is empty or outside the clip. Where nothing is asked for, a clip
/// shorter than the default gives all of its frames, as upstream. A rate counts from the window's
/// first frame, in whole steps of the clip's own frames.
FrameChoice choose_frames(const SamplingRule& rule, const VideoInfo& info,
                          const std::vector<double>& frame_seconds, const FrameRequest& request);

}  // namespace tarsier
