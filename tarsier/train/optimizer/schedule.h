#pragma once

#include <cstdint>

namespace tarsier {

/// How the rate falls after its warm-up.
enum class ScheduleShape { cosine, linear, constant };

struct Schedule {
  ScheduleShape shape = ScheduleShape::cosine;
  std::int64_t steps = 0, warmup_steps = 0;
  double peak = 1e-3;
  double final_share = 0;  // of the peak, at the end; a constant rate stays at the peak
};

/// The rate `at` steps into a schedule, from 0 to its `steps`: a straight line up to the peak, then
/// the fall (training.md 11 and 15).
double rate_at(const Schedule& schedule, std::int64_t at);

/// The rate of a step, counted from 0. While it rises a step takes the rate at its end, so the
/// first one learns; after that the rate at its beginning, so the last one does.
double learning_rate(const Schedule& schedule, std::int64_t step);

}  // namespace tarsier
