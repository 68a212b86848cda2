#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tarsier/nn/linear.h"
#include "tarsier/nn/norm.h"
#include "tarsier/nn/rotary.h"

namespace tarsier {
namespace {

TEST(Linear, SixteenBitPanelsSumInF32) {
  at::manual_seed(2);
  const at::NoGradGuard no_grad;
  for (const at::ScalarType type : {at::kBFloat16, at::kHalf}) {
    // Wide enough that the weight is cut into several panels.
    const Tensor x = at::randn({2, 3, 40000}).to(type), weight = at::randn({300, 40000}).to(type),
                 bias = at::randn({300}).to(type);
    const Tensor expected =
        at::linear(x.to(at::kFloat), weight.to(at::kFloat), bias.to(at::kFloat));
    const Tensor out = apply_linear(x, weight, bias);
    EXPECT_EQ(out.scalar_type(), type);
    EXPECT_TRUE(at::allclose(out.to(at::kFloat), expected, 1e-2, 0.5));
    EXPECT_TRUE(at::equal(out, expected.to(type)) ||
                at::allclose(out.to(at::kFloat), expected.to(type).to(at::kFloat), 8e-3, 1e-2));
  }
}

TEST(Linear, IsBuiltWithoutMemoryAndVisitsItsTensors) {
  Linear layer(4, 3, true);
  EXPECT_TRUE(layer.weight.is_meta());
  std::vector<std::string> paths;
  layer.visit(Scope([&](const std::string& path, Tensor&) { paths.push_back(path); }) / "a" / 1);
  EXPECT_EQ(paths, (std::vector<std::string>{"a.1.weight", "a.1.bias"}));
  Linear plain(4, 3, false);
  paths.clear();
  plain.visit(Scope([&](const std::string& path, Tensor&) { paths.push_back(path); }));
  EXPECT_EQ(paths, (std::vector<std::string>{"weight"}));
}

TEST(RmsNorm, RoundsBeforeTheWeightInSixteenBits) {
  RmsNorm norm(4, 1e-6);
  norm.weight = at::tensor({1.0f, 2.0f, 3.0f, 0.5f}).to(at::kBFloat16);
  const Tensor x = at::tensor({1.0f, -2.0f, 3.0f, 0.1f}).to(at::kBFloat16);
  const Tensor wide = x.to(at::kFloat);
  const Tensor normed =
      (wide / std::sqrt(wide.square().mean().item<double>() + 1e-6)).to(at::kBFloat16);
  EXPECT_TRUE(at::equal(norm(x), normed * norm.weight));
}

// models-tarsier.md 3.8 (d) and (f).
TEST(Rotary, VisionAnglesTurnByRowThenColumnInBlockOrder) {
  const RotaryAngles angles = vision_angles(4, 4, 2, 80);
  const Tensor row7 = angles.cosine[7];  // patch (1, 3)
  EXPECT_NEAR(row7[0].item<double>(), 0.5403023, 1e-6);
  EXPECT_NEAR(row7[20].item<double>(), -0.9899925, 1e-6);
  EXPECT_NEAR(row7[61].item<double>(), -0.3165360, 1e-5);
  EXPECT_NEAR(angles.sine[7][39].item<double>(), 0.0004755, 1e-6);
  Tensor q = (at::arange(80).to(at::kFloat) / 10).view({1, 1, 80});
  const Tensor turned =
      rotate(q, {angles.cosine.slice(0, 7, 8), angles.sine.slice(0, 7, 8)}).flatten();
  EXPECT_NEAR(turned[0].item<double>(), -3.36588, 1e-4);
  EXPECT_NEAR(turned[20].item<double>(), -2.82670, 1e-4);
  EXPECT_NEAR(turned[60].item<double>(), -5.65771, 1e-4);
  EXPECT_NEAR(turned[79].item<double>(), 7.90185, 1e-4);
}

TEST(Rotary, DecoderAnglesTakeTheirAxisBySection) {
  const Tensor positions = at::tensor({3, 5, 7}, at::kLong).view({3, 1});
  const Tensor angle =
      at::atan2(decoder_angles(positions, 128, 1e6, {16, 24, 24}, at::kFloat).sine[0],
                decoder_angles(positions, 128, 1e6, {16, 24, 24}, at::kFloat).cosine[0]);
  EXPECT_NEAR(angle[0].item<double>(), 3.0, 1e-5);
  EXPECT_NEAR(angle[15].item<double>(), 0.11772570, 1e-6);
  EXPECT_NEAR(angle[16].item<double>(), 0.15811390, 1e-6);
  EXPECT_NEAR(angle[39].item<double>(), 1.1033671e-3, 1e-8);
  EXPECT_NEAR(angle[40].item<double>(), 1.2447956e-3, 1e-8);
  EXPECT_NEAR(angle[104].item<double>(), 1.2447956e-3, 1e-8);
}

TEST(Rotary, EqualAxesAreOrdinaryRotaryPositions) {
  const Tensor one = at::arange(5, at::kLong).view({1, 5});
  const RotaryAngles a = decoder_angles(one, 16, 1e4, {}, at::kFloat),
                     b = decoder_angles(one.expand({3, 5}), 16, 1e4, {2, 3, 3}, at::kFloat);
  EXPECT_TRUE(at::equal(a.cosine, b.cosine));
  EXPECT_TRUE(at::equal(a.sine, b.sine));
}

}  // namespace
}  // namespace tarsier
