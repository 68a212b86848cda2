#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarsier {

/// What an event marker of SFT-1 says: `<frame: 3-5>` or `<frame: 4>`, counted from 1.
struct FrameSpan {
  std::int64_t first = 0, last = 0;
  bool operator==(const FrameSpan&) const = default;
};

struct MarkerReading {
  std::vector<FrameSpan> spans;  // in the order of the text
  std::optional<std::string>
      problem;           // the first thing wrong: "<frame: 5-3> ends before it begins"
  bool has_gap = false;  // some frame between the first and the last is in no span
};

/// Reads the markers of an answer about `frames` frames: 1 <= i <= j <= frames, starts ascend,
/// spans do not overlap. No markers: nothing wrong. Gaps are allowed.
MarkerReading read_markers(std::string_view answer, std::int64_t frames);

}  // namespace tarsier
