#include "tarsier/train/bad_samples.h"

#include <fmt/format.h>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"

namespace tarsier {

void count_bad(const StepData& data, std::int64_t bad, double max_bad, TrainState& state) {
  for (const ErrorNote& note : data.bad) log_warning("skipped " + note.text());
  state.bad_samples += bad;
  state.good_samples += static_cast<std::int64_t>(data.samples) - bad;
  const std::int64_t all = state.bad_samples + state.good_samples;
  if (state.bad_samples == 0 ||
      static_cast<double>(state.bad_samples) / static_cast<double>(all) <= max_bad)
    return;
  throw InputError({data.bad.empty() ? "training data" : data.bad.back().where,
                    fmt::format("{} of {} samples cannot be used, more than max_bad {}",
                                state.bad_samples, all, max_bad),
                    "mend the rows named above, or raise --max-bad"});
}

std::string ids_of(const StepData& data) {
  std::string ids;
  for (const Batch& batch : data.micro_batches) {
    for (const std::string& id : batch.ids) ids += (ids.empty() ? "" : ", ") + id;
  }
  return ids;
}

}  // namespace tarsier
