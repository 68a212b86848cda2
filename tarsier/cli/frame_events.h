#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tarsier {

/// An event tied to frames, 1-based over those the model saw, both included.
struct FrameEvent {
  std::int64_t first = 0, last = 0;
  std::string text;
  bool operator==(const FrameEvent&) const = default;
};

struct GroundedText {
  std::string opening;  // what comes before the first interval
  std::vector<FrameEvent> events;
};

/// Reads Tarsier2's notation, "<frame: 2-4>The dog runs.<frame: 5>It stops." (training.md 4.1),
/// over `frames` frames. `model` is the name in messages. CheckpointError showing the answer when
/// it holds no interval, one that is not well formed, one that runs backwards, or one outside the
/// frames: no interval is ever made up or bent.
GroundedText parse_frame_events(std::string_view answer, std::int64_t frames,
                                const std::string& model);

struct SecondsInterval {
  double start = 0, end = 0;
};

/// When an event happens: frame k stands for the time halfway to its neighbours, the first and the
/// last of them as far as the part looked at (evaluation.md 7.1). `frame_seconds` ascends.
SecondsInterval seconds_of(const FrameEvent& event, std::span<const double> frame_seconds,
                           double start_seconds, double end_seconds);

/// The seconds that lie between frames on average: what an interval's borders are uncertain by.
double sampling_step(std::span<const double> frame_seconds, double start_seconds,
                     double end_seconds);

/// "1-3 s": with no more decimals than the step between frames supports.
std::string interval_text(const SecondsInterval& interval, double step_seconds);

}  // namespace tarsier
