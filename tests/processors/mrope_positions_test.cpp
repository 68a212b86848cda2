#include "tarsier/processors/mrope_positions.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

using testing::ElementsAre;

std::vector<std::int64_t> axis(const PromptPositions& positions, std::int64_t which) {
  const Tensor row = positions.positions[which].contiguous();
  const auto* data = row.const_data_ptr<std::int64_t>();
  return {data, data + row.numel()};
}

std::int64_t rope_delta(const PromptPositions& positions) {
  return positions.next_position - positions.positions.size(1);
}

TEST(PromptPositions, TextCountsUpOnAllAxes) {
  const auto positions = mrope_positions(4, {}, {}, 2);
  for (std::int64_t i = 0; i < 3; ++i) EXPECT_THAT(axis(positions, i), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(positions.next_position, 4);
}

TEST(PromptPositions, EmptyPrompt) {
  const auto positions = mrope_positions(0, {}, {}, 2);
  EXPECT_EQ(positions.positions.sizes(), (std::vector<std::int64_t>{3, 0}));
  EXPECT_EQ(positions.next_position, 0);
}

TEST(PromptPositions, WorkedExample) {
  const MediaSpan spans[] = {{Modality::video, 3, 8}};
  const PatchGrid grids[] = {{2, 4, 4}};
  const auto positions = mrope_positions(13, spans, grids, 2);
  EXPECT_THAT(axis(positions, 0), ElementsAre(0, 1, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 6));
  EXPECT_THAT(axis(positions, 1), ElementsAre(0, 1, 2, 3, 3, 4, 4, 3, 3, 4, 4, 5, 6));
  EXPECT_THAT(axis(positions, 2), ElementsAre(0, 1, 2, 3, 4, 3, 4, 3, 4, 3, 4, 5, 6));
  EXPECT_EQ(positions.next_position, 7);
  EXPECT_EQ(rope_delta(positions), -6);
}

TEST(PromptPositions, MixedExample) {
  const MediaSpan spans[] = {{Modality::image, 2, 6}, {Modality::video, 11, 12}};
  const PatchGrid grids[] = {{1, 4, 6}, {3, 4, 4}};
  const auto positions = mrope_positions(24, spans, grids, 2);
  EXPECT_THAT(axis(positions, 0), ElementsAre(0, 1, 2, 2, 2, 2, 2, 2, 5, 6, 7, 8, 8, 8, 8, 9, 9, 9,
                                              9, 10, 10, 10, 10, 11));
  EXPECT_THAT(axis(positions, 1),
              ElementsAre(0, 1, 2, 2, 2, 3, 3, 3, 5, 6, 7, 8, 8, 9, 9, 8, 8, 9, 9, 8, 8, 9, 9, 11));
  EXPECT_THAT(axis(positions, 2),
              ElementsAre(0, 1, 2, 3, 4, 2, 3, 4, 5, 6, 7, 8, 9, 8, 9, 8, 9, 8, 9, 8, 9, 8, 9, 11));
  EXPECT_EQ(rope_delta(positions), -12);
}

// Tarsier2, 16 frames of 504 x 896 in ChatML: 15 text tokens before the pictures, 12 after
// (models-tarsier.md 5.2).
TEST(PromptPositions, Tarsier2ReferenceDeltas) {
  struct Case {
    PatchGrid grid;
    std::int64_t length, tokens, first_text, delta;
  };
  for (const Case& c : {Case{{16, 36, 64}, 9216, 9243, 47, -9184},
                        Case{{128, 14, 26}, 11648, 11675, 143, -11520}}) {
    const MediaSpan spans[] = {{Modality::video, 15, c.length}};
    const auto positions = mrope_positions(c.tokens, spans, {&c.grid, 1}, 2);
    EXPECT_EQ(axis(positions, 0)[static_cast<std::size_t>(15 + c.length)], c.first_text);
    EXPECT_EQ(rope_delta(positions), c.delta);
  }
}

// transformers 5: text may go on before the video's last moments; what is generated never does.
TEST(PromptPositions, PictureSidesRule) {
  const PatchGrid grid{6, 4, 4};
  const MediaSpan span{Modality::video, 1, 24};
  const auto after = PositionsAfterMedia::picture_sides;
  const auto positions = mrope_positions(27, {&span, 1}, {&grid, 1}, 2, after);
  EXPECT_EQ(axis(positions, 0)[24], 6);  // the last slice
  EXPECT_EQ(axis(positions, 0)[25], 3);  // 1 + max(2, 2)
  EXPECT_EQ(positions.next_position, 7);
  const auto longest = mrope_positions(27, {&span, 1}, {&grid, 1}, 2);
  EXPECT_EQ(axis(longest, 0)[25], 7);
  EXPECT_EQ(longest.next_position, 9);
}

// A chunk of a prompt takes its slice of the whole prompt's positions: the part after a span cannot
// be computed alone.
TEST(PromptPositions, ChunksAreSlicesOfTheWhole) {
  const MediaSpan spans[] = {{Modality::video, 3, 8}};
  const PatchGrid grids[] = {{2, 4, 4}};
  const auto whole = mrope_positions(13, spans, grids, 2);
  std::vector<Tensor> chunks;
  for (std::int64_t begin = 0; begin < 13; begin += 7) {
    chunks.push_back(whole.positions.slice(1, begin, std::min<std::int64_t>(begin + 7, 13)));
  }
  EXPECT_TRUE(at::equal(at::cat(chunks, 1), whole.positions));
  EXPECT_EQ(chunks[1][0][4].item<std::int64_t>(), 5);  // index 11 of the prompt
}

TEST(PromptPositions, SpansThatDoNotFitTheirGridsAreOurMistake) {
  const PatchGrid grid{2, 4, 4};
  const MediaSpan longer{Modality::video, 0, 9};
  EXPECT_THROW(mrope_positions(13, {&longer, 1}, {&grid, 1}, 2), InternalError);
  const MediaSpan outside{Modality::video, 6, 8};
  EXPECT_THROW(mrope_positions(13, {&outside, 1}, {&grid, 1}, 2), InternalError);
  EXPECT_THROW(mrope_positions(13, {&longer, 1}, {}, 2), InternalError);
}

}  // namespace
}  // namespace tarsier
