#include "tarsier/processors/smart_resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/base/error.h"

namespace tarsier {

static void PrintTo(const Size& size, std::ostream* out) {
  *out << size.height << "x" << size.width;
}

namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Size fit(std::int64_t height, std::int64_t width, ResizeGuard guard = ResizeGuard::none) {
  return fit_to_pixel_budget({height, width}, 28, 3136, 12845056, guard);
}

Size fit_video(std::int64_t height, std::int64_t width) {
  return fit_to_pixel_budget({height, width}, 28, 128 * 784, 768 * 784);
}

TEST(SmartResize, MatchesTheReferenceVectors) {
  EXPECT_EQ(fit(1080, 1920), (Size{1092, 1932}));
  EXPECT_EQ(fit(720, 1280), (Size{728, 1288}));
  EXPECT_EQ(fit(480, 640), (Size{476, 644}));
  EXPECT_EQ(fit(360, 640), (Size{364, 644}));
  EXPECT_EQ(fit(100, 5000), (Size{112, 5012}));
}

TEST(SmartResize, RoundsHalvesToEven) {
  EXPECT_EQ(fit(350, 700), (Size{336, 700}));
  EXPECT_EQ(fit(70, 126), (Size{56, 112}));
  EXPECT_EQ(fit(630, 406), (Size{616, 392}));
}

TEST(SmartResize, GrowsToTheMinimum) {
  EXPECT_EQ(fit(30, 30), (Size{56, 56}));
  EXPECT_EQ(fit(1, 1), (Size{56, 56}));
}

TEST(SmartResize, ShrinksFromTheOriginalSize) { EXPECT_EQ(fit(8000, 6000), (Size{4116, 3080})); }

TEST(SmartResize, MatchesVideoLimits) {
  EXPECT_EQ(fit_video(1080, 1920), (Size{560, 1008}));
  EXPECT_EQ(fit_video(720, 1280), (Size{560, 1008}));
  EXPECT_EQ(fit_video(360, 640), (Size{364, 644}));
  EXPECT_EQ(fit_video(240, 320), (Size{280, 392}));
  EXPECT_EQ(fit_video(144, 176), (Size{308, 364}));
}

TEST(SmartResize, AllowsTwoHundredToOneExactly) {
  EXPECT_EQ(fit(2000, 10), (Size{812, 28}));
  EXPECT_EQ(fit(2000, 10, ResizeGuard::one_factor), (Size{1988, 28}));
  EXPECT_THAT([] { fit(2009, 10); },
              ThrowsMessage<InputError>(HasSubstr("10x2009 pixels, one side over 200 times")));
}

TEST(SmartResize, RefusesNothing) {
  EXPECT_THROW(fit(0, 10), InputError);
  EXPECT_THAT(
      [] {
        fit_to_pixel_budget({10, 400}, 28, 0, 460800);
      },
      ThrowsMessage<InputError>(HasSubstr("too thin for patches of 28")));
}

TEST(SmartResize, KeepsTheSizeInsideTheBudgetAtFactorOne) {
  EXPECT_EQ(fit_to_pixel_budget({360, 640}, 1, 0, 460800), (Size{360, 640}));
  EXPECT_EQ(fit_to_pixel_budget({720, 1280}, 1, 0, 460800), (Size{509, 905}));
}

}  // namespace
}  // namespace tarsier
