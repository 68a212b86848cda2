#include "tarsier/processors/mrope_positions.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "tarsier/base/error.h"

namespace tarsier {

PromptPositions mrope_positions(std::int64_t tokens, std::span<const MediaSpan> spans,
                                std::span<const PatchGrid> grids, std::int64_t merge_size,
                                PositionsAfterMedia after) {
  check(spans.size() == grids.size(), "every media span has a grid");
  PromptPositions result{at::empty({3, tokens}, at::kLong), 0};
  auto* time = result.positions.data_ptr<std::int64_t>();
  auto* height = time + tokens;
  auto* width = height + tokens;
  std::int64_t at = 0;
  std::int64_t& base = result.next_position;
  const auto emit = [&](std::int64_t t, std::int64_t h, std::int64_t w) {
    time[at] = base + t;
    height[at] = base + h;
    width[at] = base + w;
    ++at;
  };
  const auto text_until = [&](std::int64_t end) {
    for (; at < end; ++base) emit(0, 0, 0);
  };
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const MediaSpan& span = spans[i];
    const PatchGrid merged{grids[i].time, grids[i].height / merge_size,
                           grids[i].width / merge_size};
    check(span.begin >= at && span.begin + span.length <= tokens,
          "media spans ascend inside the prompt");
    check(span.length == merged.patches() && span.length > 0,
          "a media span is as long as its grid has tokens");
    text_until(span.begin);
    for (std::int64_t t = 0; t < merged.time; ++t) {
      for (std::int64_t h = 0; h < merged.height; ++h) {
        for (std::int64_t w = 0; w < merged.width; ++w) emit(t, h, w);
      }
    }
    const std::int64_t sides = std::max(merged.height, merged.width);
    base += after == PositionsAfterMedia::picture_sides ? sides : std::max(merged.time, sides);
  }
  text_until(tokens);
  // Behind a long video of small pictures, time may still be ahead of the text.
  if (tokens > 0) base = std::max(base, *std::max_element(time, time + tokens) + 1);
  return result;
}

PositionRule mrope_rule(std::int64_t merge_size, PositionsAfterMedia after) {
  return [merge_size, after](std::int64_t tokens, std::span<const PlacedRun> runs) {
    std::vector<MediaSpan> spans;
    std::vector<PatchGrid> grids;
    for (const PlacedRun& placed : runs) {
      spans.push_back({placed.run.modality, placed.begin, placed.run.tokens});
      grids.push_back(placed.run.grid);
    }
    return mrope_positions(tokens, spans, grids, merge_size, after);
  };
}

}  // namespace tarsier
