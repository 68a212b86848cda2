#include "tarsier/nn/fused_ops.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "tarsier/nn/activation.h"
#include "tarsier/nn/norm.h"
#include "tarsier/nn/rotary.h"

namespace tarsier {
namespace {

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

// Result and gradients of both, for the sum (whose gradient is one expanded value) and for a
// weighted sum.
void expect_same_gradients(const Function& fused, const Function& plain,
                           const std::vector<Tensor>& inputs) {
  const auto leaves = [&] {
    std::vector<Tensor> result;
    for (const Tensor& input : inputs)
      result.push_back(input.detach().clone().set_requires_grad(true));
    return result;
  };
  for (const bool weighted : {false, true}) {
    const std::vector<Tensor> a = leaves(), b = leaves();
    const Tensor y = fused(a), expected = plain(b);
    ASSERT_EQ(y.sizes(), expected.sizes());
    EXPECT_TRUE(y.requires_grad());
    EXPECT_TRUE(at::allclose(y, expected, 1e-5, 1e-6));
    const Tensor weights = at::randn(y.sizes());
    (weighted ? (y * weights).sum() : y.sum()).backward();
    (weighted ? (expected * weights).sum() : expected.sum()).backward();
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_TRUE(a[i].grad().defined());
      // A row of one value has no gradient but for rounding.
      const double scale = std::max(0.1, b[i].grad().abs().max().item<double>());
      EXPECT_TRUE(at::allclose(a[i].grad(), b[i].grad(), 1e-5, 1e-5 * scale)) << "input " << i;
    }
  }
}

Tensor plain_rms_norm(const Tensor& x, const Tensor& weight, double epsilon) {
  const Tensor wide = x.to(at::kFloat);
  return (wide * at::rsqrt(wide.square().mean(-1, true) + epsilon)).to(x.scalar_type()) * weight;
}

Tensor plain_rotate(const Tensor& x, const RotaryAngles& angles) {
  const std::vector<Tensor> halves = x.chunk(2, -1);
  const Tensor cosine = angles.cosine.unsqueeze(1), sine = angles.sine.unsqueeze(1);
  return x * cosine + at::cat({-halves[1], halves[0]}, -1) * sine;
}

TEST(FusedOps, RmsNormHasTheGradientsOfItsFormula) {
  at::manual_seed(1);
  for (const auto& shape : std::vector<std::vector<std::int64_t>>{{1, 1}, {3, 7}, {1000, 192}}) {
    expect_same_gradients([](const auto& in) { return fused_rms_norm(in[0], in[1], 1e-6); },
                          [](const auto& in) { return plain_rms_norm(in[0], in[1], 1e-6); },
                          {at::randn(shape) * 3, at::randn({shape.back()})});
  }
  // A transposed input.
  expect_same_gradients([](const auto& in) { return fused_rms_norm(in[0].t(), in[1], 1e-6); },
                        [](const auto& in) { return plain_rms_norm(in[0].t(), in[1], 1e-6); },
                        {at::randn({33, 5}), at::randn({33})});
}

TEST(FusedOps, GradientsDoNotDependOnTheNumberOfThreads) {
  at::manual_seed(2);
  const int before = at::get_num_threads();
  const Tensor x = at::randn({2000, 192});
  std::vector<Tensor> gradients;
  for (const int threads : {1, 2}) {
    at::set_num_threads(threads);
    const Tensor weight = at::ones({192}).set_requires_grad(true);
    (fused_rms_norm(x, weight, 1e-6) * x).sum().backward();
    gradients.push_back(weight.grad());
  }
  at::set_num_threads(before);
  EXPECT_TRUE(at::equal(gradients[0], gradients[1]));
}

TEST(FusedOps, AFrozenInputGetsNoGradient) {
  const Tensor weight = at::ones({8}), x = at::randn({2, 8}).set_requires_grad(true);
  fused_rms_norm(x, weight, 1e-6).sum().backward();
  EXPECT_TRUE(x.grad().defined());
  EXPECT_FALSE(weight.grad().defined());
}

TEST(FusedOps, RotationOfAViewHasTheGradientsOfItsFormula) {
  at::manual_seed(3);
  const Tensor positions = at::arange(50, at::kLong).view({1, 50});
  const RotaryAngles angles = decoder_angles(positions, 32, 1e4, {}, at::kFloat);
  const auto part = [](const Tensor& qkv, std::int64_t i) { return qkv.select(1, i); };
  expect_same_gradients(
      [&](const auto& in) {
        return fused_rotate(part(in[0], 0), angles.cosine, angles.sine) * part(in[0], 2);
      },
      [&](const auto& in) { return plain_rotate(part(in[0], 0), angles) * part(in[0], 2); },
      {at::randn({50, 3, 4, 32})});
  // Gradient and input with strides in the last axis.
  expect_same_gradients(
      [&](const auto& in) {
        return fused_rotate(in[0].transpose(1, 2), angles.cosine, angles.sine).transpose(1, 2);
      },
      [&](const auto& in) { return plain_rotate(in[0].transpose(1, 2), angles).transpose(1, 2); },
      {at::randn({50, 32, 4})});
}

TEST(FusedOps, RotationHasTheBitsOfItsFormula) {
  at::manual_seed(4);
  const Tensor positions = at::arange(9, at::kLong).view({1, 9});
  const RotaryAngles angles = decoder_angles(positions, 32, 1e4, {}, at::kFloat);
  const Tensor x = at::randn({9, 3, 2, 32}).select(1, 1);
  EXPECT_TRUE(at::equal(rotate(x, angles), plain_rotate(x, angles)));
}

TEST(FusedOps, ActivationsHaveTheGradientsOfTheirFormulas) {
  at::manual_seed(5);
  for (const auto& shape : std::vector<std::vector<std::int64_t>>{{1, 1}, {3, 7}, {200, 512}}) {
    expect_same_gradients([](const auto& in) { return fused_swiglu(in[0], in[1]); },
                          [](const auto& in) { return at::silu(in[0]) * in[1]; },
                          {at::randn(shape) * 4, at::randn(shape)});
    expect_same_gradients([](const auto& in) { return fused_quick_gelu(in[0]); },
                          [](const auto& in) { return in[0] * at::sigmoid(1.702 * in[0]); },
                          {at::randn(shape) * 4});
  }
}

TEST(FusedOps, KeepNothingWithoutGradients) {
  const Tensor x = at::randn({2, 8}).set_requires_grad(true), weight = at::ones({8});
  const at::NoGradGuard no_grad;
  EXPECT_FALSE(fused_rms_norm(x, weight, 1e-6).requires_grad());
  EXPECT_FALSE(fused_swiglu(x, x).requires_grad());
  EXPECT_FALSE(fused_quick_gelu(x).requires_grad());
}

TEST(FusedOps, TakeNoRows) {
  EXPECT_EQ(fused_rms_norm(at::empty({0, 8}), at::ones({8}), 1e-6).sizes(),
            (at::IntArrayRef{0, 8}));
  EXPECT_EQ(fused_quick_gelu(at::empty({0, 8})).numel(), 0);
}

TEST(FusedOps, RefuseASecondGradient) {
  const Tensor x = at::randn({2, 8}).set_requires_grad(true);
  EXPECT_ANY_THROW(fused_quick_gelu(x).sum().backward({}, /*retain_graph=*/true,
                                                      /*create_graph=*/true));
}

TEST(FusedOps, OtherTypesKeepTheBitsOfAten) {
  at::manual_seed(6);
  const RotaryAngles angles =
      decoder_angles(at::arange(5, at::kLong).view({1, 5}), 16, 1e4, {}, at::kBFloat16);
  const Tensor x = at::randn({5, 48}).to(at::kBFloat16), up = at::randn({5, 48}).to(at::kBFloat16);
  EXPECT_FALSE(can_fuse(x));
  EXPECT_FALSE(can_fuse(at::empty({1}, at::kDouble)));
  EXPECT_FALSE(can_fuse(at::empty({1}, at::device(at::kMeta))));
  RmsNorm norm(48, 1e-6);
  norm.weight = at::randn({48}).to(at::kBFloat16);
  EXPECT_TRUE(at::equal(norm(x), plain_rms_norm(x, norm.weight, 1e-6)));
  const Tensor heads = x.view({5, 3, 16});
  EXPECT_TRUE(at::equal(rotate(heads, angles), plain_rotate(heads, angles)));
  EXPECT_TRUE(at::equal(swiglu(x, up), at::silu(x) * up));
  EXPECT_TRUE(at::equal(quick_gelu(x), x * at::sigmoid(1.702 * x)));
}

}  // namespace
}  // namespace tarsier
