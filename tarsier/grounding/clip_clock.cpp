#include "tarsier/grounding/clip_clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tarsier/base/error.h"

namespace tarsier {

SecondsInterval seconds_of(const FrameEvent& event, const ClipClock& clock) {
  const auto count = static_cast<std::int64_t>(clock.frames.size());
  check(1 <= event.first && event.first <= event.last && event.last <= count,
        "an event lies in its frames");
  const auto time = [&](std::int64_t frame) {
    return clock.frames[static_cast<std::size_t>(frame - 1)];
  };
  const double start =
      event.first == 1 ? clock.start : (time(event.first - 1) + time(event.first)) / 2;
  const double end =
      event.last == count ? clock.end : (time(event.last) + time(event.last + 1)) / 2;
  return {std::max(start, clock.start), std::min(end, std::max(clock.end, start))};
}

double sampling_step(const ClipClock& clock) {
  if (clock.frames.size() < 2) return clock.end - clock.start;
  return (clock.frames.back() - clock.frames.front()) /
         static_cast<double>(clock.frames.size() - 1);
}

double container_seconds(double said, const ClipClock& clock) {
  check(!clock.frames.empty(), "a model saw a frame");
  const double even = clock.start + said, step = sampling_step(clock);
  if (clock.frames.size() < 3 || step <= 0) return even;
  const double place = (even - clock.frames.front()) / step;  // 0 at the first frame
  if (!(place > 0) || !(place < static_cast<double>(clock.frames.size() - 1))) return even;
  const auto before = static_cast<std::size_t>(place);
  const double share = place - static_cast<double>(before);
  return clock.frames[before] + share * (clock.frames[before + 1] - clock.frames[before]);
}

int decimals_of(double step_seconds) {
  const double exact = step_seconds > 0 ? std::ceil(-std::log10(step_seconds) - 1e-9) : 0;
  return static_cast<int>(std::clamp(exact, 0.0, 3.0));
}

std::string interval_text(const SecondsInterval& interval, double step_seconds) {
  const int decimals = decimals_of(step_seconds);
  return fmt::format("{:.{}f}-{:.{}f} s", interval.start, decimals, interval.end, decimals);
}

}  // namespace tarsier
