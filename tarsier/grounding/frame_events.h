#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/grounding/said_answer.h"

namespace tarsier {

/// An event tied to frames, 1-based over those the model saw, both included.
struct FrameEvent {
  std::int64_t first = 0, last = 0;
  std::string text;
  bool operator==(const FrameEvent&) const = default;
};

struct FrameText {
  std::string opening;  // what comes before the first interval
  std::vector<FrameEvent> events;
};

/// True of an answer with a marker of Tarsier2's notation in it, well formed or not.
bool has_frame_marker(std::string_view answer);

/// Reads Tarsier2's notation, "<frame: 2-4>The dog runs.<frame: 5>It stops." (training.md 4.1),
/// over `frames` frames. Refuses the answer when it holds no interval, one that is not well
/// formed, one that runs backwards, or one outside the frames: no interval is ever made up or bent.
FrameText parse_frame_events(const SaidAnswer& answer, std::int64_t frames);

}  // namespace tarsier
