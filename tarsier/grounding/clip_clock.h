#pragma once

#include <span>
#include <string>

#include "tarsier/grounding/frame_events.h"

namespace tarsier {

/// In seconds of the container.
struct SecondsInterval {
  double start = 0, end = 0;
  bool operator==(const SecondsInterval&) const = default;
};

/// When a model saw what it saw: the clock its words about time are turned into seconds of the
/// container by.
struct ClipClock {
  std::span<const double> frames;  // when each frame it saw is shown; ascends, at least one
  double start = 0, end = 0;       // of the part looked at; start <= frames, and <= end
};

/// When an event happens: frame k stands for the time halfway to its neighbours, the first and the
/// last of them as far as the part looked at (evaluation.md 7.1).
SecondsInterval seconds_of(const FrameEvent& event, const ClipClock& clock);

/// The seconds that lie between frames on average: what an interval's borders are uncertain by.
double sampling_step(const ClipClock& clock);

/// Seconds that a model counted from the start of what it saw. A model is not told when a frame is
/// shown and takes frames to be evenly spaced, so that seconds between two of them come out between
/// those two, however the clip's frame rate varies.
double container_seconds(double said, const ClipClock& clock);

/// How many decimals of a second a step supports: 0 to 3.
int decimals_of(double step_seconds);

/// "1-3 s": with no more decimals than the step between frames supports.
std::string interval_text(const SecondsInterval& interval, double step_seconds);

}  // namespace tarsier
