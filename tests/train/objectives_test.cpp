#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tarsier/train/objectives/event_probe.h"
#include "tarsier/train/objectives/next_token.h"
#include "tarsier/train/objectives/visual_words.h"
#include "tarsier/train/optimizer/optimizer.h"
#include "tarsier/train/optimizer/schedule.h"

namespace tarsier {
namespace {

TEST(NextToken, IsTheWeightedMeanOfNegativeLogProbabilities) {
  const Tensor logits = at::tensor({0.0f, std::log(3.0f), 1.0f, 1.0f}).view({2, 2});
  const NextToken result =
      next_token(logits, at::tensor({1, 0}, at::kLong), at::tensor({2.0f, 1.0f}), 6);
  EXPECT_NEAR(result.loss.item<double>(), (2 * -std::log(0.75) + std::log(2.0)) / 6, 1e-6);
  EXPECT_NEAR(result.accuracy, 1.0, 1e-9);  // the tie's first index is the label
}

TEST(VisualWords, IsTheSumOverWordsOfBinaryCrossEntropies) {
  const Tensor media = at::tensor({1.0f, 0.0f, 0.0f, 2.0f}).view({2, 2});
  const Tensor words = at::eye(2);
  const Tensor visible = at::tensor({1.0f, 0.0f, 0.0f, 1.0f}).view({2, 2});
  const auto softplus = [](double x) { return std::log1p(std::exp(x)); };
  const double expected = (softplus(-0.5) + softplus(-0.5) + softplus(-0.5) + softplus(-1.5)) / 2;
  EXPECT_NEAR(visual_words_loss(media, words, at::tensor({-0.5f, -0.5f}), visible).item<double>(),
              expected, 1e-6);
}

TEST(EventProbe, StartsAtTheLogOfTheNumberOfChoices) {
  Linear probe(4, kProbeOutputs, true);
  probe.weight = at::zeros({kProbeOutputs, 4});
  probe.bias = at::zeros({kProbeOutputs});
  const double expected = (std::log(kProbeKinds) + std::log(kProbeDirections) +
                           std::log(kProbeColours) + std::log(kProbeShapes)) /
                          4;
  EXPECT_NEAR(
      event_probe_loss(probe, at::ones({3, 4}), at::zeros({3, 4}, at::kLong)).item<double>(),
      expected, 1e-5);
}

TEST(Schedule, WarmsUpThenFollowsACosine) {
  EXPECT_DOUBLE_EQ(learning_rate(0, 110, 10, 1.0, 0.1), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(9, 110, 10, 1.0, 0.1), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(10, 110, 10, 1.0, 0.1), 1.0);
  EXPECT_NEAR(learning_rate(60, 110, 10, 1.0, 0.1), 0.55, 1e-12);
  EXPECT_NEAR(learning_rate(110, 110, 10, 1.0, 0.1), 0.1, 1e-12);
  EXPECT_DOUBLE_EQ(learning_rate(0, 5, 0, 2.0, 0.0), 2.0);
}

TEST(AdamW, FollowsItsDefinition) {
  Tensor matrix = at::full({1, 2}, 0.5, at::kFloat).requires_grad_(true);
  Tensor vector = at::full({2}, 0.5, at::kFloat).requires_grad_(true);
  Optimizer optimizer;
  optimizer.add("matrix", matrix);
  optimizer.add("vector", vector);
  const OptimizerSettings settings{0.1, 0.2, 0.9, 0.99, 1e-8};
  double mean = 0, variance = 0, with_decay = 0.5, without = 0.5;
  for (int t = 1; t <= 3; ++t) {
    optimizer.add_gradients({at::full({1, 2}, 1.0), at::full({2}, 3.0)});
    optimizer.add_gradients({at::full({1, 2}, 2.0), Tensor()});
    EXPECT_NEAR(optimizer.gradient_norm(), 6, 1e-5);
    optimizer.step(settings, 0.5);
    mean = 0.9 * mean + 0.1 * 1.5;
    variance = 0.99 * variance + 0.01 * 2.25;
    const double change = 0.1 * (mean / (1 - std::pow(0.9, t))) /
                          (std::sqrt(variance / (1 - std::pow(0.99, t))) + 1e-8);
    with_decay = with_decay * (1 - 0.1 * 0.2) - change;
    without -= change;
    EXPECT_NEAR(matrix[0][0].item<double>(), with_decay, 1e-5);
    EXPECT_NEAR(vector[1].item<double>(), without, 1e-5);
    EXPECT_FALSE(optimizer.parameters()[0].gradient.defined());
  }
}

TEST(AdamW, KeepsAnF32MasterOfSixteenBitWeights) {
  Tensor weight = at::full({1, 1}, 1.0, at::kBFloat16).requires_grad_(true);
  Optimizer optimizer;
  optimizer.add("w", weight);
  for (int i = 0; i < 4; ++i) {
    optimizer.add_gradients({at::ones({1, 1}, at::kBFloat16)});
    optimizer.step({1e-3}, 1.0);  // each change alone is lost in bf16
  }
  EXPECT_NEAR(optimizer.parameters()[0].master.item<double>(), 1 - 4e-3, 1e-5);
  EXPECT_NEAR(weight.item<double>(), 0.99609375, 1e-9);
}

}  // namespace
}  // namespace tarsier
