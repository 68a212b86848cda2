#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tarsier/train/objectives/event_probe.h"
#include "tarsier/train/objectives/next_token.h"
#include "tarsier/train/objectives/visual_words.h"
#include "tarsier/train/optimizer/muon.h"
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

TEST(EventCells, CellsWithAnEventWeighMore) {
  Linear probe(1, kCellProbeOutputs, true);
  probe.weight = at::zeros({kCellProbeOutputs, 1});
  probe.bias = at::zeros({kCellProbeOutputs});
  probe.bias[0] = 10;  // sure that nothing happens, and that it has no direction
  probe.bias[kProbeKinds] = 10;
  const Tensor labels = at::tensor({0, 0, 0, 0, 3, 2}, at::kLong).view({3, 2});
  const double sum_kinds = std::log(std::exp(10) + kProbeKinds - 1),
               sum_directions = std::log(std::exp(10) + kProbeDirections - 1);
  const double expected = ((2 * (sum_kinds - 10) + 5 * sum_kinds) / 7 +
                           (2 * (sum_directions - 10) + 5 * sum_directions) / 7) /
                          2;
  EXPECT_NEAR(event_cells_loss(probe, at::ones({3, 1}), labels).item<double>(), expected, 1e-4);
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
  Workers alone(1);
  optimizer.add("matrix", matrix);
  optimizer.add("vector", vector);
  const OptimizerSettings settings{0.1, 0.2, 0.9, 0.99, 1e-8};
  double mean = 0, variance = 0, with_decay = 0.5, without = 0.5;
  for (int t = 1; t <= 3; ++t) {
    optimizer.add_gradients({at::full({1, 2}, 1.0), at::full({2}, 3.0)});
    optimizer.add_gradients({at::full({1, 2}, 2.0), Tensor()});
    EXPECT_NEAR(optimizer.gradient_norm(), 6, 1e-5);
    optimizer.step(settings, 0.5, alone);
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

TEST(Muon, MakesSingularValuesAlike) {
  for (const auto& [rows, columns] : {std::pair{24, 40}, {40, 24}, {16, 16}}) {
    at::manual_seed(1);
    const Tensor matrix = at::randn({rows, columns});
    const Tensor result = orthogonalized(matrix);
    ASSERT_EQ(result.sizes(), matrix.sizes());
    const Tensor small = rows < columns ? at::mm(result, result.t()) : at::mm(result.t(), result);
    EXPECT_LT(small.diagonal().max().item<double>(), 1.3);
    EXPECT_GT(small.diagonal().min().item<double>(), 0.4);
    EXPECT_LT((small - small.diagonal().diag()).abs().max().item<double>(), 0.35);
    EXPECT_GT((result * matrix).sum().item<double>(), 0);
  }
}

TEST(Muon, MovesMatricesByTheRateAndLeavesTheRestToAdamW) {
  at::manual_seed(2);
  Optimizer muon, adamw;
  Workers alone(1);
  const std::vector<std::string> paths{"model.layers.0.mlp.up_proj.weight",
                                       "model.embed_tokens.weight", "model.norm.weight"};
  std::vector<Tensor> gradients{at::randn({32, 16}), at::randn({32, 16}), at::randn({16})};
  for (std::size_t i = 0; i < paths.size(); ++i) {
    muon.add(paths[i], at::zeros_like(gradients[i]));
    adamw.add(paths[i], at::zeros_like(gradients[i]));
  }
  const OptimizerSettings settings{1e-2, 0, 0.9, 0.99, 1e-8, UpdateRule::muon};
  muon.add_gradients(gradients);
  muon.step(settings, 0.5, alone);
  OptimizerSettings other = settings;
  other.rule = UpdateRule::adamw;
  adamw.add_gradients(gradients);
  adamw.step(other, 0.5, alone);
  const Tensor moved = muon.parameters()[0].weight;
  EXPECT_NEAR(moved.square().mean().sqrt().item<double>(), 1e-2, 3e-3);
  EXPECT_LT((moved * gradients[0]).sum().item<double>(), 0);
  EXPECT_FALSE(at::equal(moved, adamw.parameters()[0].weight));
  for (const std::size_t i : {1, 2})
    EXPECT_TRUE(at::equal(muon.parameters()[i].weight, adamw.parameters()[i].weight)) << paths[i];
}

TEST(AdamW, KeepsAnF32MasterOfSixteenBitWeights) {
  Tensor weight = at::full({1, 1}, 1.0, at::kBFloat16).requires_grad_(true);
  Optimizer optimizer;
  Workers alone(1);
  optimizer.add("w", weight);
  for (int i = 0; i < 4; ++i) {
    optimizer.add_gradients({at::ones({1, 1}, at::kBFloat16)});
    optimizer.step({1e-3}, 1.0, alone);  // each change alone is lost in bf16
  }
  EXPECT_NEAR(optimizer.parameters()[0].master.item<double>(), 1 - 4e-3, 1e-5);
  EXPECT_NEAR(weight.item<double>(), 0.99609375, 1e-9);
}

}  // namespace
}  // namespace tarsier
