#pragma once

#include <cstdint>

namespace tarsier {

/// Linear warm-up, then a cosine to `final_share` of the peak: a function of the step (from 0)
/// alone (training.md 11).
double learning_rate(std::int64_t step, std::int64_t steps, std::int64_t warmup_steps, double peak,
                     double final_share);

}  // namespace tarsier
