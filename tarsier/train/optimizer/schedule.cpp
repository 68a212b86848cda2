#include "tarsier/train/optimizer/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarsier {

double learning_rate(std::int64_t step, std::int64_t steps, std::int64_t warmup_steps, double peak,
                     double final_share) {
  if (step < warmup_steps)
    return peak * static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  const double span = static_cast<double>(std::max<std::int64_t>(1, steps - warmup_steps));
  const double progress = std::min(1.0, static_cast<double>(step - warmup_steps) / span);
  const double low = peak * final_share;
  return low + (peak - low) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

}  // namespace tarsier
