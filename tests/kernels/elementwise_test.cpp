#include "tarsier/kernels/elementwise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tarsier/kernels/reference/elementwise.h"

namespace tarsier {
namespace {

using Values = std::vector<float>;

constexpr std::int64_t kWidths[] = {1, 7, 33, 192, 513};
constexpr float kMagnitudes[] = {1e-3f, 1.0f, 30.0f, 1e8f};

Values random_values(std::int64_t count, float magnitude, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0f, magnitude);
  Values values(static_cast<std::size_t>(count));
  for (float& value : values) value = normal(generator);
  return values;
}

Values zeros(std::int64_t count) { return Values(static_cast<std::size_t>(count)); }

// Each value within 1e-6 of itself, or of `scale` where that is larger.
void expect_near(const Values& actual, const Values& expected, double scale) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double magnitude = std::max(std::abs(static_cast<double>(expected[i])), scale);
    ASSERT_NEAR(actual[i], expected[i], 1e-6 * magnitude + 1e-37) << "at " << i;
  }
}

double largest(const Values& values) {
  double result = 0.0;
  for (const float value : values) result = std::max(result, std::abs(static_cast<double>(value)));
  return result;
}

class ElementwiseTest : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (GetParam() > detected_isa()) GTEST_SKIP() << "this machine does not run it";
  }
  const ElementwiseKernels& kernels() const { return elementwise_kernels(GetParam()); }
  const ElementwiseKernels& reference() const { return reference_elementwise_kernels(); }
};

TEST_P(ElementwiseTest, RmsNormIsTheReference) {
  for (const std::int64_t rows : {1, 5}) {
    for (const std::int64_t width : kWidths) {
      for (const float magnitude : kMagnitudes) {
        const std::int64_t count = rows * width;
        const Values x = random_values(count, magnitude, 1), weight = random_values(width, 1.0f, 2),
                     dy = random_values(count, 1.0f, 3);
        Values y = zeros(count), scale = zeros(rows), expected = y, expected_scale = scale;
        kernels().rms_norm(x.data(), weight.data(), 1e-6f, y.data(), scale.data(), rows, width);
        reference().rms_norm(x.data(), weight.data(), 1e-6f, expected.data(), expected_scale.data(),
                             rows, width);
        expect_near(y, expected, 0.0);
        expect_near(scale, expected_scale, 0.0);
        // The weight's gradient is added to what is there.
        Values dx = zeros(count), dweight = random_values(width, 1.0f, 4);
        Values expected_dx = dx, expected_dweight = dweight;
        kernels().rms_norm_backward(dy.data(), x.data(), weight.data(), expected_scale.data(),
                                    dx.data(), dweight.data(), rows, width);
        reference().rms_norm_backward(dy.data(), x.data(), weight.data(), expected_scale.data(),
                                      expected_dx.data(), expected_dweight.data(), rows, width);
        // Before the two terms cancel they are about as large as the scale.
        expect_near(dx, expected_dx, 4.0 * largest(expected_scale));
        expect_near(dweight, expected_dweight, largest(expected_dweight));
      }
    }
  }
}

TEST_P(ElementwiseTest, RotationIsTheReferenceInBothDirections) {
  constexpr std::int64_t kTokens = 3, kHeads = 2;
  for (const std::int64_t head_dim : {2, 14, 32, 66}) {
    const std::int64_t count = kTokens * kHeads * head_dim, stride = 3 * kHeads * head_dim;
    const Values x = random_values(kTokens * stride, 5.0f, 1);
    Values cosine = zeros(kTokens * head_dim), sine = cosine;
    for (std::size_t i = 0; i < cosine.size(); ++i) {
      const std::size_t dim = static_cast<std::size_t>(head_dim);
      const float angle = static_cast<float>(i / dim + i % (dim / 2));
      cosine[i] = std::cos(angle);
      sine[i] = std::sin(angle);
    }
    for (const float direction : {1.0f, -1.0f}) {
      Values y = zeros(count), expected = y, same_bits = y;
      kernels().rotate(x.data(), stride, head_dim, cosine.data(), sine.data(), direction, y.data(),
                       kTokens, kHeads, head_dim);
      reference().rotate(x.data(), stride, head_dim, cosine.data(), sine.data(), direction,
                         expected.data(), kTokens, kHeads, head_dim);
      expect_near(y, expected, largest(x));
      elementwise_kernels(Isa::portable)
          .rotate(x.data(), stride, head_dim, cosine.data(), sine.data(), direction,
                  same_bits.data(), kTokens, kHeads, head_dim);
      EXPECT_EQ(y, same_bits);
    }
  }
}

TEST_P(ElementwiseTest, SwigluIsTheReference) {
  for (const std::int64_t count : kWidths) {
    for (const float magnitude : kMagnitudes) {
      const Values gate = random_values(count, magnitude, 1), up = random_values(count, 1.0f, 2),
                   dy = random_values(count, 1.0f, 3);
      Values y = zeros(count), dgate = y, dup = y, expected = y, expected_dgate = y,
             expected_dup = y;
      kernels().swiglu(gate.data(), up.data(), y.data(), count);
      reference().swiglu(gate.data(), up.data(), expected.data(), count);
      expect_near(y, expected, 0.0);
      kernels().swiglu_backward(dy.data(), gate.data(), up.data(), dgate.data(), dup.data(), count);
      reference().swiglu_backward(dy.data(), gate.data(), up.data(), expected_dgate.data(),
                                  expected_dup.data(), count);
      expect_near(dgate, expected_dgate, 1.0);
      expect_near(dup, expected_dup, 0.0);
    }
  }
}

TEST_P(ElementwiseTest, QuickGeluIsTheReference) {
  for (const std::int64_t count : kWidths) {
    for (const float magnitude : kMagnitudes) {
      const Values x = random_values(count, magnitude, 1), dy = random_values(count, 1.0f, 2);
      Values y = zeros(count), dx = y, expected = y, expected_dx = y;
      kernels().quick_gelu(x.data(), y.data(), count);
      reference().quick_gelu(x.data(), expected.data(), count);
      // 1.702 x is rounded to f32, which the exponential of a large one magnifies.
      expect_near(y, expected, 1e-2);
      kernels().quick_gelu_backward(dy.data(), x.data(), dx.data(), count);
      reference().quick_gelu_backward(dy.data(), x.data(), expected_dx.data(), count);
      expect_near(dx, expected_dx, 1.0);
    }
  }
}

TEST_P(ElementwiseTest, SigmoidIsAccurateOverItsWholeRange) {
  Values gate;
  for (float x = -87.0f; x < 100.0f; x += 0.0037f) gate.push_back(x);
  const auto count = static_cast<std::int64_t>(gate.size());
  const Values ones(gate.size(), 1.0f);
  Values y = zeros(count), expected = y;
  kernels().swiglu(gate.data(), ones.data(), y.data(), count);
  reference().swiglu(gate.data(), ones.data(), expected.data(), count);
  double worst = 0.0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (expected[i] == 0.0f) continue;
    worst = std::max(worst, std::abs(static_cast<double>(y[i]) / expected[i] - 1.0));
  }
  EXPECT_LT(worst, 3e-7);
}

TEST_P(ElementwiseTest, ExtremesAreFiniteAndNaNStays) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  const Values x = {-1e38f, -1e4f, -104.0f, -88.5f, 0.0f, 88.5f, 104.0f, 1e4f, 1e38f, kNaN};
  const auto count = static_cast<std::int64_t>(x.size());
  const Values ones(x.size(), 1.0f);
  const auto expect_extremes = [&](const Values& actual, const Values& expected) {
    for (std::size_t i = 0; i + 1 < x.size(); ++i)
      EXPECT_NEAR(actual[i], expected[i], 1e-6 * std::abs(expected[i]) + 1e-35) << x[i];
    EXPECT_TRUE(std::isnan(actual.back()));
  };
  const Values linear = {0, 0, 0, 0, 0, 88.5f, 104.0f, 1e4f, 1e38f, kNaN};
  const Values slope = {0, 0, 0, 0, 0.5f, 1, 1, 1, 1, kNaN};
  Values y = zeros(count), dx = y, dup = y;
  kernels().swiglu(x.data(), ones.data(), y.data(), count);
  expect_extremes(y, linear);
  kernels().swiglu_backward(ones.data(), x.data(), ones.data(), dx.data(), dup.data(), count);
  expect_extremes(dx, slope);
  expect_extremes(dup, linear);
  kernels().quick_gelu(x.data(), y.data(), count);
  expect_extremes(y, linear);
  kernels().quick_gelu_backward(ones.data(), x.data(), dx.data(), count);
  expect_extremes(dx, slope);
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, ElementwiseTest,
                         testing::Values(Isa::portable, Isa::avx2, Isa::avx512),
                         [](const auto& info) { return std::string(to_string(info.param)); });

}  // namespace
}  // namespace tarsier
