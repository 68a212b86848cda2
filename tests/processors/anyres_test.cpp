#include "tarsier/processors/anyres.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

AnyresConfig squares_of(std::int64_t side, std::int64_t most) {
  AnyresConfig config;
  for (std::int64_t width = 1; width <= most; ++width)
    for (std::int64_t height = 1; height <= most; ++height)
      config.canvases.push_back({height * side, width * side});
  return config;
}

AnyresPlan released(Size source) { return plan_anyres(source, squares_of(384, 6), 384, 27); }

TEST(Anyres, TakesTheSmallestCanvasThatShowsAll) {
  const AnyresPlan plan = released({1080, 1920});
  EXPECT_EQ(plan.rows, 3);
  EXPECT_EQ(plan.columns, 5);
  EXPECT_EQ(plan.squares(), 16);
  EXPECT_EQ(plan.scaled, (Size{1080, 1920}));
  EXPECT_EQ(plan.offset, (Size{3, 0}));
  EXPECT_EQ(plan.kept, (Size{75, 135}));
  EXPECT_EQ(plan.shrunk, (Size{60, 108}));
  EXPECT_EQ(plan.tokens(27), 729 + 60 * 109);
}

TEST(Anyres, ASquareIsShownTwice) {
  const AnyresPlan plan = released({384, 384});
  EXPECT_EQ(plan.squares(), 2);
  EXPECT_EQ(plan.kept, plan.shrunk);
  EXPECT_EQ(plan.tokens(27), 729 + 27 * 28);
}

TEST(Anyres, NoImageHasMorePatchesThanTheLimit) {
  for (const Size size : {Size{10, 10}, Size{5000, 5000}, Size{100, 3000}, Size{3000, 101}}) {
    const AnyresPlan plan = released(size);
    EXPECT_LE(plan.shrunk.height * plan.shrunk.width, 1.21 * 9 * 729);
    EXPECT_LE(plan.tokens(27), 10 * 729 + 9 * 27 * 27);
  }
}

TEST(Anyres, RefusesAnImageOfWhichNothingIsLeft) {
  EXPECT_EQ(plan_anyres({1, 9000}, squares_of(4, 3), 4, 1).kept, (Size{1, 1}));
  AnyresConfig config = squares_of(4, 3);
  config.canvases = {{4, 400}};
  EXPECT_THAT(
      [&] {
        plan_anyres({4, 400}, config, 4, 1);
      },
      ThrowsMessage<InputError>(HasSubstr("image: 400x4 is too thin")));
}

// The whole image first, then the canvas row by row; its margin is black.
TEST(Anyres, CutsTheCanvasIntoSquares) {
  SquareImageConfig square{4, false, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}};
  Frame image{0, 0.0, 4, 12, {}};
  for (std::int64_t y = 0; y < 4; ++y)
    for (std::int64_t x = 0; x < 12; ++x) image.rgb.insert(image.rgb.end(), 3, x < 4 ? 255 : 51);
  const AnyresPlan plan = plan_anyres({4, 12}, squares_of(4, 3), 4, 2);
  EXPECT_EQ(plan.rows, 1);
  EXPECT_EQ(plan.columns, 3);
  const Tensor squares = anyres_squares(image, plan, square);
  EXPECT_EQ(squares.sizes(), (std::vector<std::int64_t>{4, 3, 4, 4}));
  EXPECT_TRUE(at::equal(squares[1], at::ones({3, 4, 4})));
  EXPECT_TRUE(at::allclose(squares[2], at::full({3, 4, 4}, -0.6)));

  AnyresConfig wide;
  wide.canvases = {{8, 12}};
  const Tensor padded = anyres_squares(image, plan_anyres({4, 12}, wide, 4, 2), square);
  EXPECT_TRUE(at::equal(padded[1].slice(1, 0, 2), at::full({3, 2, 4}, -1.0)));
  EXPECT_TRUE(at::equal(padded[1].slice(1, 2, 4), at::ones({3, 2, 4})));
  EXPECT_TRUE(at::equal(padded[4].slice(1, 2, 4), at::full({3, 2, 4}, -1.0)));
}

}  // namespace
}  // namespace tarsier
