#pragma once

#include <span>
#include <string>

#include "tarsier/grounding/timed_answer.h"

namespace tarsier {

/// Events as subtitles, SubRip (.srt) and WebVTT (.vtt), in the order they start. Times have no
/// more decimals than the step supports, lie within [0, seconds] of the file, and each cue ends
/// after it starts: what is shorter lasts a step, or to the file's end from a step before it. A
/// cue's text is one line, with "&", "<" and "-->" escaped. Cues may overlap. InputError naming
/// `file` when it lasts less than a millisecond.
std::string srt_of(std::span<const TimedEvent> events, double step_seconds, double seconds,
                   const std::string& file);
std::string vtt_of(std::span<const TimedEvent> events, double step_seconds, double seconds,
                   const std::string& file);

}  // namespace tarsier
