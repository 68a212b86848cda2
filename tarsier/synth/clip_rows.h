#pragma once

#include <cstdint>
#include <string>

#include "tarsier/synth/world.h"

namespace tarsier {

/// One clip as a line of clips.jsonl, without the newline: its exact truth (opening, events with
/// seconds and the frame interval over `frames` uniformly sampled frames), descriptions in English
/// and Chinese, plain and with intervals, questions, and `messages` in Tarsier's training format. A
/// pure function of its arguments.
std::string clip_row(const Clip& clip, const std::string& video_file, std::int64_t frames);

}  // namespace tarsier
