#include "tarsier/data/corrupt/corruption.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tarsier/base/error.h"
#include "tarsier/media/sampling.h"

namespace tarsier {
namespace {

constexpr std::int64_t kSegments = 4;

std::int64_t count_of(std::span<const std::int64_t> frames) {
  return static_cast<std::int64_t>(frames.size());
}

void require_frames(std::int64_t frames, std::int64_t needed, Corruption corruption) {
  if (frames < needed)
    throw InputError({name_of(corruption), fmt::format("needs {} frames, has {}", needed, frames),
                      "use a longer video or more frames of it"});
}

// Where each of the four segments begins, and the end of the last.
std::array<std::int64_t, kSegments + 1> segment_bounds(std::int64_t n) {
  std::array<std::int64_t, kSegments + 1> bounds{};
  const std::int64_t length = (n + kSegments - 1) / kSegments;
  const bool as_released = (n + length - 1) / length == kSegments;
  for (std::int64_t i = 0; i < kSegments; ++i) {
    const std::int64_t even = n / kSegments + (i < n % kSegments ? 1 : 0);
    const auto at = static_cast<std::size_t>(i);
    bounds[at + 1] = std::min(n, bounds[at] + (as_released ? length : even));
  }
  return bounds;
}

}  // namespace

const char* name_of(Corruption corruption) {
  switch (corruption) {
    case Corruption::exchange:
      return "exchange";
    case Corruption::reverse:
      return "reverse";
    case Corruption::crop:
      return "crop";
    case Corruption::discard:
      return "discard";
  }
  throw_broken_promise("Corruption has four values");
}

std::optional<Corruption> corruption_named(std::string_view name) {
  for (const Corruption corruption : kCorruptions) {
    if (name == name_of(corruption)) return corruption;
  }
  return std::nullopt;
}

std::vector<std::int64_t> exchange_segments(std::span<const std::int64_t> frames, std::int64_t a,
                                            std::int64_t b) {
  require_frames(count_of(frames), kSegments, Corruption::exchange);
  check(0 <= a && a < kSegments && 0 <= b && b < kSegments && a != b,
        "two of the segments 0 to 3 are exchanged");
  std::array<std::size_t, kSegments> order{};
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::swap(order[static_cast<std::size_t>(a)], order[static_cast<std::size_t>(b)]);
  const auto bounds = segment_bounds(count_of(frames));
  std::vector<std::int64_t> exchanged;
  for (const std::size_t segment : order)
    exchanged.insert(exchanged.end(), frames.begin() + bounds[segment],
                     frames.begin() + bounds[segment + 1]);
  return exchanged;
}

std::vector<std::int64_t> reverse_run(std::span<const std::int64_t> frames, std::int64_t start,
                                      std::int64_t length) {
  require_frames(count_of(frames), 2, Corruption::reverse);
  check(start >= 0 && length >= 1 && start + length <= count_of(frames),
        "the reversed run lies within the frames");
  std::vector<std::int64_t> reversed(frames.begin(), frames.end());
  std::reverse(reversed.begin() + start, reversed.begin() + start + length);
  return reversed;
}

std::int64_t cropped_places(std::int64_t n, const Fraction& keep) {
  check(keep > Fraction(0) && keep < Fraction(1), "a crop keeps a part of the duration");
  const std::int64_t cropped = n - floor_times(n, keep);
  if (cropped >= n)
    throw InputError({name_of(Corruption::crop),
                      fmt::format("keeps none of {} frames with a share of {}", n, keep.text()),
                      "keep more, or use more frames"});
  return cropped;
}

std::vector<std::int64_t> crop_frames(std::span<const std::int64_t> frames, std::int64_t start,
                                      const Fraction& keep) {
  const std::int64_t n = count_of(frames), cropped = cropped_places(n, keep);
  check(start >= 0 && start <= cropped, "a crop begins among the places it cuts off");
  const std::int64_t end = n - 1 - (cropped - start);
  return sample_floored(frames[static_cast<std::size_t>(start)],
                        frames[static_cast<std::size_t>(end)], n);
}

std::vector<std::int64_t> keep_frames(std::span<const std::int64_t> frames,
                                      std::span<const std::int64_t> places) {
  check(std::is_sorted(places.begin(), places.end()) && !places.empty() && places.front() >= 0 &&
            places.back() < count_of(frames),
        "kept places ascend within the frames");
  std::vector<std::int64_t> kept;
  for (const std::int64_t place : places) kept.push_back(frames[static_cast<std::size_t>(place)]);
  return kept;
}

std::vector<std::int64_t> corrupt_frames(Corruption corruption,
                                         std::span<const std::int64_t> frames,
                                         const Fraction& crop_keep, Random& random) {
  const std::int64_t n = count_of(frames);
  switch (corruption) {
    case Corruption::exchange: {
      const std::int64_t a = random.integer(0, kSegments - 1);
      const std::int64_t b = random.integer(0, kSegments - 2);
      return exchange_segments(frames, a, b < a ? b : b + 1);
    }
    case Corruption::reverse: {
      require_frames(n, 2, corruption);
      const double share = random.uniform(0.5, 1);
      const auto length = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(n)));
      return reverse_run(frames, random.integer(0, n - length), length);
    }
    case Corruption::crop:
      return crop_frames(frames, random.integer(0, cropped_places(n, crop_keep)), crop_keep);
    case Corruption::discard: {
      require_frames(n, 2, corruption);
      std::vector<std::int64_t> places(frames.size());
      std::iota(places.begin(), places.end(), 0);
      random.shuffle(places);
      places.resize(frames.size() / 2);
      std::sort(places.begin(), places.end());
      return keep_frames(frames, places);
    }
  }
  throw_broken_promise("Corruption has four values");
}

}  // namespace tarsier
