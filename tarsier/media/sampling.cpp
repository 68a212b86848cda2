#include "tarsier/media/sampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

void check_range(std::int64_t first, std::int64_t last, std::int64_t count) {
  check(first >= 0 && first <= last, "frames are chosen from a range that is not empty");
  check(count >= 1, "at least one frame is chosen");
}

/// numerator / denominator, both positive or zero, rounded half to even.
std::int64_t divide_half_even(std::int64_t numerator, std::int64_t denominator) {
  const std::int64_t quotient = numerator / denominator;
  const std::int64_t twice = 2 * (numerator % denominator);
  return quotient + (twice > denominator || (twice == denominator && quotient % 2 == 1) ? 1 : 0);
}

std::int64_t round_half_even(double value) {
  if (!(std::abs(value) < 1e15)) {
    throw InputError({"frames", "a time or rate is not a usable number",
                      "give times in seconds, within the clip"});
  }
  return static_cast<std::int64_t>(std::nearbyint(value));
}

std::vector<std::int64_t> spread(std::int64_t first, std::int64_t last, std::int64_t count) {
  std::vector<std::int64_t> indices;
  indices.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i)
    indices.push_back(first + divide_half_even(i * (last - first), count - 1));
  return indices;
}

std::vector<std::int64_t> every(std::int64_t first, std::int64_t last, std::int64_t step) {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = first; i <= last; i += step) indices.push_back(i);
  return indices;
}

}  // namespace

std::vector<std::int64_t> sample_uniform(std::int64_t first, std::int64_t last,
                                         std::int64_t count) {
  check_range(first, last, count);
  if (count == 1) return {first};
  if (last - first + 1 <= count) return every(first, last, 1);
  return spread(first, last, count);
}

std::vector<std::int64_t> sample_run_middles(std::int64_t first, std::int64_t last,
                                             std::int64_t count) {
  check_range(first, last, count);
  const std::int64_t length = last - first + 1;
  if (length <= count) return every(first, last, 1);
  std::vector<std::int64_t> indices;
  std::int64_t begin = first;
  for (std::int64_t run = 0; run < count; ++run) {
    const std::int64_t run_length = length / count + (run < length % count ? 1 : 0);
    indices.push_back(begin + (run_length + 1) / 2 - 1);
    begin += run_length;
  }
  return indices;
}

std::vector<std::int64_t> sample_repeating(std::int64_t first, std::int64_t last,
                                           std::int64_t count) {
  check_range(first, last, count);
  if (count == 1) return {0};
  return spread(first, last, count);
}

std::vector<std::int64_t> without_repeats(std::span<const std::int64_t> indices) {
  std::vector<std::int64_t> result(indices.begin(), indices.end());
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

std::optional<std::vector<std::int64_t>> sample_by_rate(std::int64_t total, double clip_rate,
                                                        double wanted_rate,
                                                        std::int64_t max_count) {
  check_range(0, total - 1, max_count);
  const double spacing = clip_rate / wanted_rate;
  const std::int64_t step = spacing < static_cast<double>(total) ? round_half_even(spacing) : total;
  if (!(spacing > 0) || step < 1) {
    throw InputError(
        {"frames per second",
         fmt::format("{:g} were asked of a clip that has {:g}", wanted_rate, clip_rate),
         "ask for no more than the clip has"});
  }
  if ((total + step - 1) / step > max_count) return std::nullopt;
  return every(0, total - 1, step);
}

std::vector<std::int64_t> sample_tarsier2(std::int64_t total, std::optional<double> clip_rate,
                                          const Tarsier2Sampling& wanted) {
  check_range(0, total - 1, wanted.count);
  const auto rate = [&] {
    if (clip_rate && *clip_rate > 0) return *clip_rate;
    throw InputError({"frames", "times and rates need a clip with a frame rate",
                      "choose frames by count instead"});
  };
  std::optional<std::vector<std::int64_t>> indices;
  if (wanted.wanted_rate)
    indices = sample_by_rate(total, rate(), *wanted.wanted_rate, wanted.count);
  if (!wanted.times.empty()) {
    indices.emplace();
    for (const double time : wanted.times) indices->push_back(round_half_even(time * rate()));
  }
  if (!indices) {
    FrameRange range{0, total - 1};
    if (wanted.start_seconds && wanted.end_seconds) {
      range = {round_half_even(*wanted.start_seconds * rate()),
               round_half_even(*wanted.end_seconds * rate())};
      if (range.last == total) --range.last;
    }
    if (range.first < 0 || range.first > range.last) {
      throw InputError({"start", "the window holds no frame",
                        fmt::format("the clip has frames 0 to {}", total - 1)});
    }
    indices = wanted.run_middles ? sample_run_middles(range.first, range.last, wanted.count)
                                 : sample_uniform(range.first, range.last, wanted.count);
  }
  if (!indices->empty() && indices->back() == total) indices->back() = total - 1;
  std::erase_if(*indices, [&](std::int64_t index) { return index < 0 || index >= total; });
  if (indices->empty()) {
    throw InputError({"frames", "none of the frames asked for is in the clip",
                      fmt::format("the clip has frames 0 to {}", total - 1)});
  }
  return *indices;
}

FrameRange tarsier_window(std::int64_t total, double clip_rate, double start_seconds,
                          double end_seconds) {
  check(total >= 1, "a clip has at least one frame");
  FrameRange range{0, total - 1};
  const double last = static_cast<double>(total - 1);
  if (start_seconds > 0)
    range.first = static_cast<std::int64_t>(std::min(last, clip_rate * start_seconds));
  if (end_seconds > 0) {
    range.last =
        std::max(range.first, static_cast<std::int64_t>(std::min(last, clip_rate * end_seconds)));
  }
  return range;
}

std::vector<std::int64_t> frame_budget(std::span<const BudgetItem> items, std::int64_t frames,
                                       std::int64_t max_frames) {
  check(frames >= 1 && max_frames >= 1, "a frame budget is at least one frame");
  std::vector<std::int64_t> counts;
  std::int64_t sum = 0;
  bool dynamic = false;
  for (const BudgetItem& item : items) {
    std::int64_t count = 0;
    if (!item.is_video) {
      count = 1;
    } else if (item.fixed_count > 0) {
      count = item.fixed_count;
    } else {
      count = item.min_count > 0 ? item.min_count : item.by_rate ? max_frames : 0;
      dynamic = true;
    }
    counts.push_back(count);
    sum += count;
  }
  const auto is_dynamic = [&](std::size_t i) {
    return items[i].is_video && items[i].fixed_count <= 0;
  };
  while (dynamic && sum < frames) {
    for (std::size_t i = 0; i < items.size() && sum < frames; ++i) {
      if (is_dynamic(i)) ++counts[i], ++sum;
    }
  }
  while (dynamic && sum > max_frames) {
    for (std::size_t i = 0; i < items.size() && sum > max_frames; ++i) {
      if (!is_dynamic(i)) continue;
      --sum;
      if (--counts[i] < 1) break;
    }
    if (std::any_of(counts.begin(), counts.end(), [](std::int64_t count) { return count < 1; }))
      break;
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (counts[i] < 1) {
      throw InputError({fmt::format("media item {}", i + 1), "no frames are left for this video",
                        fmt::format("send fewer pictures and videos; a request has {} to {} frames",
                                    frames, max_frames)});
    }
  }
  return counts;
}

std::int64_t qwen_frame_count(std::int64_t total, double clip_rate, const QwenSampling& wanted) {
  std::int64_t count = 0;
  if (wanted.count) {
    count = 2 * divide_half_even(*wanted.count, 2);
  } else {
    const std::int64_t min_count = (wanted.min_count + 1) / 2 * 2;
    const std::int64_t max_count =
        wanted.max_count.value_or(std::min<std::int64_t>(768, total)) / 2 * 2;
    double exact = static_cast<double>(total) / clip_rate * wanted.wanted_rate;
    exact =
        std::min(std::max(exact, static_cast<double>(min_count)), static_cast<double>(max_count));
    if (wanted.version == QwenUtils::up_to_0_0_8) {
      count = 2 * round_half_even(exact / 2);
    } else {
      exact = std::min(exact, static_cast<double>(total));
      count = 2 * static_cast<std::int64_t>(std::floor(exact / 2));
    }
  }
  if (count < 2 || count > total) {
    throw InputError({"frames",
                      fmt::format("{} frames cannot be taken from a clip of {}", count, total),
                      "ask for an even number from 2 up to the clip's length"});
  }
  return count;
}

std::vector<std::int64_t> sample_linspace(std::int64_t first, std::int64_t last,
                                          std::int64_t count) {
  check_range(first, last, count);
  if (count == 1) return {first};
  const auto begin = static_cast<float>(first);
  const auto end = static_cast<float>(last);
  const float step = (end - begin) / static_cast<float>(count - 1);
  std::vector<std::int64_t> indices;
  indices.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = i < count / 2 ? begin + step * static_cast<float>(i)
                                      : end - step * static_cast<float>(count - i - 1);
    indices.push_back(static_cast<std::int64_t>(std::nearbyintf(value)));
  }
  return indices;
}

std::vector<std::int64_t> sample_truncated_linspace(std::int64_t first, std::int64_t last,
                                                    std::int64_t count) {
  check_range(first, last, count);
  std::vector<std::int64_t> indices;
  const double step =
      count > 1 ? static_cast<double>(last - first) / static_cast<double>(count - 1) : 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double offset = static_cast<double>(i) * step;
    const std::int64_t index = count > 1 && i == count - 1
                                   ? last
                                   : static_cast<std::int64_t>(offset + static_cast<double>(first));
    if (indices.empty() || index != indices.back()) indices.push_back(index);
  }
  return indices;
}

std::int64_t interval_frame_count(double clip_seconds, double interval, std::int64_t min_count,
                                  std::int64_t max_count) {
  check(interval > 0 && min_count >= 1 && min_count <= max_count,
        "frames are counted by an interval above 0, between two limits");
  const double exact = std::clamp(clip_seconds / interval, static_cast<double>(min_count),
                                  static_cast<double>(max_count));
  return round_half_even(exact);
}

std::vector<std::int64_t> sample_qwen(std::int64_t total, double clip_rate,
                                      const QwenSampling& wanted) {
  return sample_linspace(0, total - 1, qwen_frame_count(total, clip_rate, wanted));
}

FrameRange qwen_window(std::int64_t total, double clip_rate, double start_seconds,
                       double end_seconds) {
  const double last = std::min(static_cast<double>(total - 1), std::floor(end_seconds * clip_rate));
  const double first = std::ceil(start_seconds * clip_rate);
  if (!(first >= 0 && first <= last)) {
    throw InputError({"start", "the window holds no frame",
                      fmt::format("the clip has frames 0 to {}", total - 1)});
  }
  return {static_cast<std::int64_t>(first), static_cast<std::int64_t>(last)};
}

std::vector<std::int64_t> sample_truncated(std::int64_t total, std::int64_t count) {
  check_range(0, total - 1, count);
  if (count > total) {
    throw InputError({"frames",
                      fmt::format("{} frames cannot be taken from a clip of {}", count, total),
                      "ask for no more than the clip has"});
  }
  const double step = static_cast<double>(total) / static_cast<double>(count);
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < count; ++i) {
    indices.push_back(static_cast<std::int64_t>(static_cast<float>(static_cast<double>(i) * step)));
  }
  return indices;
}

std::vector<std::int64_t> sample_floored(std::int64_t first, std::int64_t last,
                                         std::int64_t count) {
  check_range(first, last, count);
  if (count == 1) return {first};
  const double start = static_cast<double>(first),
               step = static_cast<double>(last - first) / static_cast<double>(count - 1);
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < count - 1; ++i) {
    indices.push_back(static_cast<std::int64_t>(std::floor(static_cast<double>(i) * step + start)));
  }
  indices.push_back(last);
  return indices;
}

std::vector<std::int64_t> sample_by_step(std::int64_t first, std::int64_t last, double clip_rate,
                                         double wanted_rate, std::int64_t max_count) {
  check_range(first, last, max_count);
  check(clip_rate > 0 && wanted_rate > 0, "rates are above 0");
  const std::int64_t step =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(std::nearbyint(clip_rate / wanted_rate)));
  if ((last - first) / step + 1 > max_count) return sample_floored(first, last, max_count);
  std::vector<std::int64_t> indices;
  for (std::int64_t i = first; i <= last; i += step) indices.push_back(i);
  return indices;
}

FrameRange frames_in_window(std::span<const double> frame_seconds, double clip_seconds,
                            std::optional<double> start_seconds,
                            std::optional<double> end_seconds) {
  check(!frame_seconds.empty(), "a clip has at least one frame");
  constexpr double kTick =
      1e-6;  // containers count in whole ticks; a typed 0.04 must still find its frame
  const double start = start_seconds.value_or(0);
  const double end = end_seconds.value_or(std::max(clip_seconds, start));
  if (!std::isfinite(start) || !std::isfinite(end) || start < 0) {
    throw InputError({"--start", "not a time in the clip",
                      fmt::format("the clip lasts {:.3f} seconds", clip_seconds)});
  }
  if (end < start)
    throw InputError({"--end", "lies before --start", "give the later time to --end"});
  if (start > 0 && start >= clip_seconds) {
    throw InputError({"--start", fmt::format("{:g} seconds is past the end of the clip", start),
                      fmt::format("the clip lasts {:.3f} seconds", clip_seconds)});
  }
  const auto on_screen = [&](double time) {  // the last frame shown at or before `time`
    const auto after = std::upper_bound(frame_seconds.begin(), frame_seconds.end(), time + kTick);
    return std::max<std::int64_t>(0, after - frame_seconds.begin() - 1);
  };
  return {on_screen(start), on_screen(end)};
}

}  // namespace tarsier
