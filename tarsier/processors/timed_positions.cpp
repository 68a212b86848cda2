#include "tarsier/processors/timed_positions.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <vector>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

/// Positions written token by token.
class Axes {
 public:
  explicit Axes(std::int64_t tokens)
      : tokens_(tokens), positions_(at::empty({3, tokens}, at::kLong)) {}

  std::int64_t at() const { return at_; }
  std::int64_t base = 0;  // of the next text
  void add(std::int64_t t, std::int64_t h, std::int64_t w) {
    check(at_ < tokens_, "media runs end inside the prompt");
    auto* data = positions_.data_ptr<std::int64_t>();
    std::int64_t axis = 0;
    for (const std::int64_t position : {t, h, w}) {
      data[axis * tokens_ + at_] = position;
      auto& largest = largest_[static_cast<std::size_t>(axis++)];
      largest = std::max(largest, position);
    }
    ++at_;
  }
  void text_until(std::int64_t end) {
    for (; at_ < end; ++base) add(base, base, base);
  }
  std::int64_t largest_time() const { return largest_[0]; }
  std::int64_t largest() const { return std::max({largest_[0], largest_[1], largest_[2]}); }
  PromptPositions done(std::int64_t next) const {
    check(at_ == tokens_, "every token has a position");
    return {positions_, next};
  }

 private:
  std::int64_t tokens_;
  Tensor positions_;
  std::int64_t at_ = 0;
  std::array<std::int64_t, 3> largest_ = {-1, -1, -1};
};

std::vector<std::span<const PlacedRun>> by_block(std::span<const PlacedRun> runs) {
  std::vector<std::span<const PlacedRun>> blocks;
  for (std::size_t begin = 0, end = 0; begin < runs.size(); begin = end) {
    while (end < runs.size() && runs[end].block == runs[begin].block) ++end;
    blocks.push_back(runs.subspan(begin, end - begin));
  }
  return blocks;
}

bool holds(std::span<const PlacedRun> block, bool sound) {
  return std::ranges::any_of(block, [&](const PlacedRun& placed) {
    return (placed.run.modality == Modality::audio) == sound;
  });
}

void add_pictures(Axes& axes, std::int64_t base, const MediaRun& run, std::int64_t merge_size) {
  check(run.tokens == run.grid.media_tokens(merge_size) && run.grid.time == 1,
        "a timed run of pictures is one slice");
  for (std::int64_t y = 0; y < run.grid.height / merge_size; ++y) {
    for (std::int64_t x = 0; x < run.grid.width / merge_size; ++x)
      axes.add(base + run.step, base + y, base + x);
  }
}

/// The first token at or behind `from` that stands for pictures of this kind.
std::int64_t next_placeholder(std::span<const PlacedRun> runs, Modality modality,
                              std::int64_t from) {
  for (const auto& [begin, block, run] : runs) {
    if (run.modality == modality && begin + run.tokens > from) return std::max(begin, from);
  }
  throw_broken_promise("every block of pictures has its placeholders");
}

}  // namespace

PositionRule timed_positions(std::int64_t merge_size, PositionsAfterMedia after) {
  return [merge_size, after](std::int64_t tokens, std::span<const PlacedRun> runs) {
    Axes axes(tokens);
    for (const std::span<const PlacedRun> block : by_block(runs)) {
      axes.text_until(block[0].begin);
      const bool sees = holds(block, false), hears = holds(block, true);
      const std::int64_t base = axes.base;
      std::int64_t sides = 0;
      for (const auto& [begin, index, run] : block) {
        check(begin == axes.at(), "runs of one timed block stand together");
        if (run.modality == Modality::audio) {
          for (std::int64_t j = run.step; j < run.step + run.tokens; ++j)
            axes.add(base + j, sees ? base : base + j, sees ? base + j : base);
        } else {
          add_pictures(axes, base, run, merge_size);
          sides = std::max({sides, run.grid.height / merge_size, run.grid.width / merge_size});
        }
      }
      axes.base = hears                                         ? axes.largest_time() + 1
                  : after == PositionsAfterMedia::picture_sides ? base + sides
                                                                : axes.largest() + 1;
    }
    axes.text_until(tokens);
    // Behind a long video of small pictures, time may still be ahead of the text.
    const bool is_behind = after == PositionsAfterMedia::picture_sides;
    return axes.done(is_behind ? std::max(axes.base, axes.largest() + 1) : axes.base);
  };
}

PositionRule upstream_generate_positions(std::int64_t merge_size) {
  return [merge_size](std::int64_t tokens, std::span<const PlacedRun> runs) {
    constexpr std::int64_t kStepsPerSlice = 2;
    Axes axes(tokens);
    for (const std::span<const PlacedRun> block : by_block(runs)) {
      if (!holds(block, false)) continue;
      axes.text_until(next_placeholder(runs, block[0].run.modality, axes.at()));
      const std::int64_t base = axes.base;
      std::int64_t slice = 0;
      for (const PlacedRun& placed : block) {
        if (placed.run.modality == Modality::audio) continue;
        MediaRun run = placed.run;
        run.step = kStepsPerSlice * slice++;
        add_pictures(axes, base, run, merge_size);
      }
      axes.base = axes.largest() + 1;
    }
    axes.text_until(tokens);
    return axes.done(axes.largest() + 1);
  };
}

}  // namespace tarsier
