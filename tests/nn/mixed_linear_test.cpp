#include "tarsier/nn/mixed_linear.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "tarsier/nn/linear.h"

namespace tarsier {
namespace {

struct Outcome {
  Tensor y, dx, dweight, dbias;
};

Outcome differentiate(Tensor x, Tensor weight, Tensor bias, const Tensor& direction, bool mixed) {
  for (Tensor* tensor : {&x, &weight, &bias}) {
    if (tensor->defined()) *tensor = tensor->detach().clone().requires_grad_(true);
  }
  const Tensor y = mixed ? mixed_linear(x, weight, bias) : at::linear(x, weight, bias);
  (y * direction).sum().backward();
  return {y.detach(), x.grad(), weight.grad(), bias.defined() ? bias.grad() : Tensor()};
}

double error_of(const Tensor& value, const Tensor& reference) {
  EXPECT_EQ(value.sizes(), reference.sizes());
  EXPECT_EQ(value.scalar_type(), at::kFloat);
  return ((value - reference).norm() / reference.norm()).item<double>();
}

// bf16 keeps 8 bits: what is rounded on the way in and out is off by up to 2^-9 of itself.
constexpr double kRounding = 1.0 / 256;

TEST(MixedLinear, EqualsF32WithinTheRoundingOfItsProducts) {
  at::manual_seed(3);
  for (const std::int64_t rows : {1, 255, 256, 300}) {  // around the step rows are rounded up to
    const Tensor x = at::randn({rows, 48}), weight = at::randn({32, 48}), bias = at::randn({32}),
                 direction = at::randn({rows, 32});
    const Outcome exact = differentiate(x, weight, bias, direction, false),
                  mixed = differentiate(x, weight, bias, direction, true);
    EXPECT_LT(error_of(mixed.y, exact.y), kRounding);
    EXPECT_LT(error_of(mixed.dx, exact.dx), kRounding);
    EXPECT_LT(error_of(mixed.dweight, exact.dweight), kRounding);
    EXPECT_LT(error_of(mixed.dbias, exact.dbias), 1e-6);
    EXPECT_GT(error_of(mixed.y, exact.y), 1e-5) << "products were not rounded";
  }
}

TEST(MixedLinear, TakesAnyShapeAndNoBias) {
  at::manual_seed(4);
  const Tensor x = at::randn({2, 3, 16}), weight = at::randn({8, 16}),
               direction = at::randn({2, 3, 8});
  const Outcome exact = differentiate(x, weight, {}, direction, false),
                mixed = differentiate(x, weight, {}, direction, true);
  EXPECT_LT(error_of(mixed.y, exact.y), kRounding);
  EXPECT_LT(error_of(mixed.dx, exact.dx), kRounding);
}

TEST(MixedLinear, IsTheWayOfLinearLayersInTrainingAloneAndOnlyWhenAsked) {
  at::manual_seed(5);
  const Tensor x = at::randn({4, 16}), weight = at::randn({8, 16}).requires_grad_(true);
  const Tensor exact = at::linear(x, weight);
  EXPECT_TRUE(at::equal(apply_linear(x, weight, {}), exact));
  set_training_products(LinearProducts::bf16);
  const Tensor mixed = apply_linear(x, weight, {});
  const at::NoGradGuard no_grad;
  const Tensor inference = apply_linear(x, weight, {});
  set_training_products(LinearProducts::f32);
  EXPECT_FALSE(at::equal(mixed, exact));
  EXPECT_TRUE(at::equal(inference, exact));
}

}  // namespace
}  // namespace tarsier
