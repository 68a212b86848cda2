#include "tarsier/processors/timed_blocks.h"

#include <algorithm>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

std::int64_t count_of(const std::vector<std::int64_t>& values) {
  return static_cast<std::int64_t>(values.size());
}

}  // namespace

std::vector<std::int64_t> time_steps(std::int64_t slices, double seconds_per_slice,
                                     double steps_per_second) {
  const auto spacing = static_cast<float>(seconds_per_slice * steps_per_second);
  std::vector<std::int64_t> steps;
  for (std::int64_t i = 0; i < slices; ++i)
    steps.push_back(static_cast<std::int64_t>(static_cast<float>(i) * spacing));
  return steps;
}

MediaBlock timed_picture_block(Modality modality, const PatchGrid& grid, std::int64_t merge_size,
                               const std::vector<std::int64_t>& steps) {
  check(count_of(steps) == grid.time, "every temporal slice has a step");
  const PatchGrid slice{1, grid.height, grid.width};
  MediaBlock block{modality, {}};
  for (const std::int64_t step : steps)
    block.runs.push_back({modality, slice.media_tokens(merge_size), slice, step, {}});
  return block;
}

std::vector<std::int64_t> deal_by_time(std::int64_t tokens,
                                       const std::vector<std::int64_t>& steps) {
  check(!steps.empty(), "a video has a slice");
  std::vector<std::int64_t> dealt;
  std::int64_t left = tokens;
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    dealt.push_back(std::min(steps[i + 1] - steps[i], left));
    left -= dealt.back();
  }
  dealt.push_back(left);
  return dealt;
}

std::vector<std::int64_t> deal_spread(std::int64_t tokens, std::int64_t slices) {
  check(slices > 0, "a video has a slice");
  std::vector<std::int64_t> dealt(index(slices), tokens / slices);
  const std::int64_t remainder = tokens % slices;
  for (std::int64_t i = 1; i <= remainder; ++i) ++dealt[index(i * slices / remainder - 1)];
  return dealt;
}

std::vector<std::int64_t> deal_first(std::int64_t tokens, std::int64_t slices) {
  check(slices > 0, "a video has a slice");
  std::vector<std::int64_t> dealt(index(slices), tokens / slices);
  for (std::int64_t i = 0; i < tokens % slices; ++i) ++dealt[index(i)];
  return dealt;
}

MediaBlock heard_video_block(const PatchGrid& grid, std::int64_t merge_size,
                             const std::vector<std::int64_t>& steps,
                             const std::vector<std::int64_t>& dealt) {
  check(dealt.size() == steps.size(), "every temporal slice has a share of the sound");
  MediaBlock block = timed_picture_block(Modality::video, grid, merge_size, steps);
  std::vector<MediaRun> runs;
  std::int64_t heard = 0;
  for (std::size_t i = 0; i < dealt.size(); ++i) {
    runs.push_back(std::move(block.runs[i]));
    if (dealt[i] == 0) continue;
    runs.push_back({Modality::audio, dealt[i], {}, heard, {}});
    heard += dealt[i];
  }
  block.runs = std::move(runs);
  return block;
}

MediaBlock sound_block(std::int64_t tokens) {
  return {Modality::audio, {{Modality::audio, tokens, {}, 0, {}}}};
}

}  // namespace tarsier
