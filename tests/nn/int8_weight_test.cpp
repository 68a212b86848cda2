#include "tarsier/nn/int8_weight.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <memory>

#include "tarsier/nn/linear.h"
#include "tarsier/nn/lora.h"
#include "tarsier/nn/mixed_linear.h"
#include "tarsier/nn/recompute.h"

namespace tarsier {
namespace {

double error_of(const Tensor& value, const Tensor& reference) {
  EXPECT_EQ(value.sizes(), reference.sizes());
  return ((value.to(at::kFloat) - reference).norm() / reference.norm()).item<double>();
}

TEST(Int8Weight, IsOffByHalfOfABlocksStep) {
  at::manual_seed(1);
  // Below, at and beyond whole blocks; several panels.
  for (const auto& [rows, width] : {std::pair{5, 40}, {3, 64}, {4, 200}, {70000, 128}}) {
    const Tensor weight = at::randn({rows, width}) * at::rand({rows, 1});
    const Tensor kept = int8_weight(weight);
    EXPECT_EQ(kept.scalar_type(), at::kChar);
    EXPECT_EQ(kept.sizes(), weight.sizes());
    const Tensor off = (widened(kept) - weight).abs();
    for (std::int64_t first = 0; first < width; first += kInt8Block) {
      const auto of = [&](const Tensor& all) {
        return all.slice(1, first, std::min<std::int64_t>(width, first + kInt8Block));
      };
      const Tensor step = of(weight).abs().amax(1, true) / 127;
      EXPECT_TRUE((of(off) <= step * 0.5001).all().item<bool>()) << rows << "x" << width;
    }
  }
}

TEST(Int8Weight, KeepsZerosAndTakes16Bits) {
  Tensor weight = at::zeros({2, 70});
  weight[1][69] = -3;
  EXPECT_TRUE(at::equal(widened(int8_weight(weight)), weight));
  const Tensor narrow = at::randn({8, 96}).to(at::kBFloat16);
  EXPECT_TRUE(at::equal(widened(int8_weight(narrow)), widened(int8_weight(narrow.to(at::kFloat)))));
}

TEST(Int8Weight, IsOneOnlyWhenMadeSo) {
  EXPECT_FALSE(is_int8(at::randn({2, 2})));
  EXPECT_FALSE(is_int8(at::zeros({2, 2}, at::kChar)));
  const Tensor kept = int8_weight(at::randn({2, 2}));
  EXPECT_TRUE(is_int8(kept));
  const Tensor changed = with_lora(kept, std::make_shared<const LoraDelta>());
  EXPECT_TRUE(is_int8(changed)) << "a change kept beside it must not hide its scales";
  EXPECT_NE(lora_of(changed), nullptr);
  EXPECT_EQ(lora_of(kept), nullptr);
}

// Values and gradients are those of the widened weight.
TEST(Int8Linear, IsTheProductWithWhatTheWeightStandsFor) {
  at::manual_seed(2);
  // The second weight has two panels.
  for (const auto& [out, in] : {std::pair{24, 100}, {40000, 128}}) {
    const Tensor weight = int8_weight(at::randn({out, in})), wide = widened(weight);
    const Tensor start = at::randn({2, 3, in}), direction = at::randn({2, 3, out});
    const auto differentiate = [&](const Tensor& w) {
      const Tensor x = start.clone().requires_grad_(true);
      const Tensor bias = at::ones({out}).requires_grad_(true);
      const Tensor y = apply_linear(x, w, bias);
      (y * direction).sum().backward();
      return std::tuple{y.detach(), x.grad(), bias.grad()};
    };
    const auto [y, dx, dbias] = differentiate(weight);
    const auto [y0, dx0, dbias0] = differentiate(wide);
    EXPECT_LT(error_of(y, y0), 1e-6);
    EXPECT_LT(error_of(dx, dx0), 1e-6);
    EXPECT_TRUE(at::equal(dbias, dbias0));
  }
}

TEST(Int8Linear, GivesTheInputsType) {
  at::manual_seed(3);
  const Tensor weight = int8_weight(at::randn({16, 64}));
  const Tensor x = at::randn({5, 64}).to(at::kBFloat16);
  const Tensor exact = at::linear(x.to(at::kFloat), widened(weight));
  {
    const at::NoGradGuard no_grad;
    const Tensor y = apply_linear(x, weight, {});
    EXPECT_TRUE(at::equal(y, exact.to(at::kBFloat16)));
  }
  const Tensor leaf = x.clone().requires_grad_(true);
  apply_linear(leaf, weight, {}).sum().backward();
  EXPECT_EQ(leaf.grad().scalar_type(), at::kBFloat16);
}

TEST(Int8Linear, RoundsProductsWhereTrainingDoes) {
  at::manual_seed(4);
  const Tensor weight = int8_weight(at::randn({16, 64})), wide = widened(weight);
  const Tensor x = at::randn({5, 64});
  const auto differentiate = [&](const Tensor& w) {
    const Tensor leaf = x.clone().requires_grad_(true);
    const Tensor y = apply_linear(leaf, w, {});
    y.pow(2).sum().backward();
    return std::pair{y.detach(), leaf.grad()};
  };
  const auto [exact, exact_dx] = differentiate(weight);
  set_training_products(LinearProducts::bf16);
  const auto [y, dx] = differentiate(weight);
  const auto [y0, dx0] = differentiate(wide);
  set_training_products(LinearProducts::f32);
  EXPECT_TRUE(at::equal(y, y0));
  EXPECT_TRUE(at::equal(dx, dx0));
  EXPECT_FALSE(at::equal(y, exact));
  EXPECT_LT(error_of(dx, exact_dx), 0.01);
}

// A layer that gradients recompute, with a change beside its weight.
TEST(Int8Linear, LearnsAChangeBesideIt) {
  at::manual_seed(5);
  LoraDelta delta{at::randn({2, 64}).requires_grad_(true), at::randn({8, 2}).requires_grad_(true),
                  0.5};
  Linear layer(64, 8, false);
  layer.weight =
      with_lora(int8_weight(at::randn({8, 64})), std::make_shared<const LoraDelta>(delta));
  const Tensor start = at::randn({6, 64}), whole = widened(layer.weight);
  const auto differentiate = [&](const Part& part) {
    for (Tensor* tensor : {&delta.a, &delta.b}) tensor->mutable_grad() = Tensor();
    const Tensor x = start.clone().requires_grad_(true);
    recomputed(part, x, weights_of(layer)).pow(2).sum().backward();
    return std::tuple{x.grad(), delta.a.grad(), delta.b.grad()};
  };
  const auto [dx, da, db] = differentiate(layer);
  const auto [dx0, da0, db0] = differentiate([&](const Tensor& x) {
    return at::linear(x, whole + at::mm(delta.b, delta.a) * delta.scale);
  });
  EXPECT_LT(error_of(dx, dx0), 1e-5);
  EXPECT_LT(error_of(da, da0), 1e-5);
  EXPECT_LT(error_of(db, db0), 1e-5);
  const WithoutLora without;
  EXPECT_LT(error_of(layer(start), at::linear(start, whole)), 1e-6);
}

}  // namespace
}  // namespace tarsier
