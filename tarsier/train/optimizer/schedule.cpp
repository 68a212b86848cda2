#include "tarsier/train/optimizer/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarsier {

double rate_at(const Schedule& schedule, std::int64_t at) {
  if (at < schedule.warmup_steps)
    return schedule.peak * static_cast<double>(at) / static_cast<double>(schedule.warmup_steps);
  const double span =
      static_cast<double>(std::max<std::int64_t>(1, schedule.steps - schedule.warmup_steps));
  const double progress = std::min(1.0, static_cast<double>(at - schedule.warmup_steps) / span);
  const double low = schedule.peak * schedule.final_share;
  switch (schedule.shape) {
    case ScheduleShape::constant:
      return schedule.peak;
    case ScheduleShape::linear:
      return low + (schedule.peak - low) * (1 - progress);
    case ScheduleShape::cosine:
      break;
  }
  return low + (schedule.peak - low) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

double learning_rate(const Schedule& schedule, std::int64_t step) {
  return rate_at(schedule, step < schedule.warmup_steps ? step + 1 : step);
}

}  // namespace tarsier
