#pragma once

#include <cstdint>
#include <string>

#include "tarsier/synth/world.h"

namespace tarsier {

/// One clip as a line of clips.jsonl, without the newline: its exact truth (opening, events and
/// sounds with seconds and the frame interval over `frames` uniformly sampled frames), descriptions
/// in every language, plain and with intervals, questions, loose texts with what is wrong in them,
/// and `messages` (English) in Tarsier's training format. A pure function of its arguments.
std::string clip_row(const Clip& clip, const std::string& video_file, std::int64_t frames);

}  // namespace tarsier
