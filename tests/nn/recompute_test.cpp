#include "tarsier/nn/recompute.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <stdexcept>
#include <thread>

#include "tarsier/base/error.h"
#include "tarsier/nn/activation.h"
#include "tarsier/nn/linear.h"
#include "tarsier/nn/norm.h"
#include "tests/tensor/live_bytes.h"

namespace tarsier {
namespace {

constexpr std::int64_t kWidth = 24, kInner = 400, kRows = 30;

// A block as the networks have them: norm, wide MLP, residual.
struct Block {
  RmsNorm norm{kWidth, 1e-6};
  Linear in{kWidth, kInner, true}, out{kInner, kWidth, false};

  explicit Block(at::ScalarType type) {
    at::manual_seed(4);
    const TensorVisitor fill = [&](const std::string&, Tensor& weight) {
      weight = (at::randn(weight.sizes()) * 0.1).to(type).requires_grad_(true);
    };
    visit(Scope(fill));
  }
  void visit(Scope scope) {
    norm.visit(scope / "norm");
    in.visit(scope / "in");
    out.visit(scope / "out");
  }
  Tensor operator()(const Tensor& x) const { return x + out(quick_gelu(in(norm(x)))); }
};

struct Result {
  Tensor loss;
  std::vector<Tensor> gradients;  // by x where it learns, then by the weights that learn
};

// Two blocks in a row, differentiated.
Result result_of(const Block& block, const Tensor& x, bool recompute) {
  const Part part = [block](const Tensor& in) { return block(in); };
  const std::vector<Tensor> weights = weights_of(block);
  const auto run = [&](const Tensor& in) {
    return recompute ? recomputed(part, in, weights) : part(in);
  };
  Result result;
  result.loss = run(run(x)).to(at::kFloat).square().sum();
  std::vector<Tensor> asked;
  if (x.requires_grad()) asked.push_back(x);
  for (const Tensor& weight : weights) {
    if (weight.requires_grad()) asked.push_back(weight);
  }
  result.gradients = torch::autograd::grad({result.loss}, asked);
  return result;
}

void expect_same(const Result& a, const Result& b) {
  EXPECT_TRUE(at::equal(a.loss, b.loss));
  ASSERT_EQ(a.gradients.size(), b.gradients.size());
  for (std::size_t i = 0; i < a.gradients.size(); ++i) {
    EXPECT_TRUE(at::equal(a.gradients[i], b.gradients[i])) << i;
    EXPECT_GT(a.gradients[i].abs().sum().item<double>(), 0) << i;
  }
}

Tensor input(at::ScalarType type, bool learns) {
  at::manual_seed(5);
  return at::randn({kRows, kWidth}).to(type).requires_grad_(learns);
}

TEST(Recompute, HasTheBitsOfAPlainCall) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    for (const bool input_learns : {true, false}) {
      const Block block(type);
      const Tensor x = input(type, input_learns);
      expect_same(result_of(block, x, true), result_of(block, x, false));
    }
  }
}

TEST(Recompute, LeavesFrozenWeightsAlone) {
  Block block(at::kFloat);
  block.in.weight.requires_grad_(false);
  const Tensor x = input(at::kFloat, true);
  const Result result = result_of(block, x, true);
  EXPECT_EQ(result.gradients.size(), 4u);  // x, norm, the bias, out
  expect_same(result, result_of(block, x, false));
  for (Tensor weight : weights_of(block)) weight.requires_grad_(false);
  expect_same(result_of(block, x, true), result_of(block, x, false));
  const Part part = [block](const Tensor& in) { return block(in); };
  EXPECT_FALSE(recomputed(part, input(at::kFloat, false), weights_of(block)).requires_grad());
}

TEST(Recompute, KeepsTheInputAlone) {
  const Block block(at::kFloat);
  const Tensor x = input(at::kFloat, true);
  const Part part = [&](const Tensor& in) { return block(in); };
  const std::vector<Tensor> weights = weights_of(block);
  const std::int64_t row_bytes = kRows * static_cast<std::int64_t>(sizeof(float));
  {
    const test::LiveBytes bytes;
    const Tensor y = part(x);
    EXPECT_GE(bytes.now(), row_bytes * (2 * kInner + kWidth));
  }
  const test::LiveBytes bytes;
  const Tensor y = recomputed(part, x, weights);
  EXPECT_GE(bytes.now(), row_bytes * kWidth);
  EXPECT_LE(bytes.now(), row_bytes * (kWidth + 1));
  EXPECT_GE(bytes.peak(), row_bytes * 2 * kInner);
}

TEST(Recompute, SeveralThreadsDifferentiateOverTheSameWeights) {
  const Block block(at::kFloat);
  const Tensor x = input(at::kFloat, true);
  const Result expected = result_of(block, x, false);
  std::vector<Result> results(4);
  {
    std::vector<std::jthread> threads;
    for (Result& result : results)
      threads.emplace_back([&] { result = result_of(block, x, true); });
  }
  for (const Result& result : results) expect_same(result, expected);
}

TEST(Recompute, CallsAPartTwiceAndOnceWithoutGradients) {
  int calls = 0;
  const Part part = [&](const Tensor& x) {
    if (++calls == 3) throw std::runtime_error("third call");
    return x * 2;
  };
  const Tensor x = at::ones({2}).requires_grad_(true);
  const Tensor y = recomputed(part, x, {}).sum();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(torch::autograd::grad({y}, {x})[0][0].item<double>(), 2);
  EXPECT_EQ(calls, 2);
  {
    const at::NoGradGuard no_grad;
    calls = 0;
    recomputed(part, x, {});
    EXPECT_EQ(calls, 1);
  }
  const Tensor failing = recomputed(part, x, {}).sum();
  EXPECT_THROW(torch::autograd::grad({failing}, {x}), std::runtime_error);
}

TEST(Recompute, RefusesASecondDerivative) {
  const Tensor x = at::ones({2}).requires_grad_(true);
  const Tensor y = recomputed([](const Tensor& in) { return in * in; }, x, {}).sum();
  EXPECT_THROW(torch::autograd::grad({y}, {x}, {}, true, /*create_graph=*/true), InternalError);
}

}  // namespace
}  // namespace tarsier
