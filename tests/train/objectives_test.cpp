#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tarsier/train/gradients.h"
#include "tarsier/train/objectives/event_probe.h"
#include "tarsier/train/objectives/next_token.h"
#include "tarsier/train/objectives/visual_words.h"

namespace tarsier {
namespace {

TEST(NextToken, IsTheWeightedMeanOfNegativeLogProbabilities) {
  const Tensor hidden = at::tensor({0.0f, std::log(3.0f), 1.0f, 1.0f}).view({2, 2});
  const NextToken result =
      next_token(hidden, at::eye(2), at::tensor({1, 0}, at::kLong), at::tensor({2.0f, 1.0f}), 6, 8);
  EXPECT_NEAR(result.loss.item<double>(), (2 * -std::log(0.75) + std::log(2.0)) / 6, 1e-6);
  EXPECT_NEAR(result.accuracy, 1.0, 1e-9);  // the tie's first index is the label
}

// Weights, a scale behind the loss, and a head that is also the table hidden is looked up in, as
// with tied embeddings.
TEST(NextToken, ChunksEqualAllLogitsAtOnceWithTheirGradients) {
  at::manual_seed(4);
  const Tensor tokens = at::randint(0, 11, {7}, at::kLong);
  const Tensor labels = at::randint(0, 11, {7}, at::kLong);
  const Tensor weights = at::rand({7}) + 0.5;
  for (const bool tied : {true, false}) {
    const Tensor table = at::randn({11, 5}).requires_grad_(true);
    const Tensor head = tied ? table : at::randn({11, 5}).requires_grad_(true);
    const auto hidden = [&] { return at::tanh(at::embedding(table, tokens)) * 2; };
    const Tensor whole =
        at::cross_entropy_loss(at::linear(hidden(), head), labels, {}, at::Reduction::None);
    const Tensor expected = (whole * weights).sum() / 3;
    const std::vector<Tensor> expected_gradients = gradients_of(expected * 0.7, {table, head});
    for (const std::int64_t chunk : {1, 3, 7, 100}) {
      const NextToken result = next_token(hidden(), head, labels, weights, 3, chunk);
      EXPECT_NEAR(result.loss.item<double>() / expected.item<double>(), 1, 1e-6);
      const std::vector<Tensor> gradients = gradients_of(result.loss * 0.7, {table, head});
      for (std::size_t i = 0; i < gradients.size(); ++i)
        EXPECT_LT((gradients[i] - expected_gradients[i]).abs().max().item<double>(), 1e-6)
            << tied << " " << chunk << " " << i;
    }
  }
}

TEST(NextToken, FrozenHeadAndSixteenBitWeights) {
  at::manual_seed(5);
  const Tensor labels = at::randint(0, 11, {6}, at::kLong), weights = at::ones({6});
  const Tensor exact_hidden = at::randn({6, 8}), exact_head = at::randn({11, 8});
  const Tensor hidden = exact_hidden.clone().requires_grad_(true);
  const auto frozen = gradients_of(next_token(hidden, exact_head, labels, weights, 6, 4).loss,
                                   {hidden, exact_head});
  EXPECT_FALSE(frozen[1].defined());
  const Tensor half_hidden = exact_hidden.to(at::kBFloat16).requires_grad_(true),
               half_head = exact_head.to(at::kBFloat16).requires_grad_(true);
  const NextToken half = next_token(half_hidden, half_head, labels, weights, 6, 4);
  EXPECT_EQ(half.loss.scalar_type(), at::kFloat);
  const auto gradients = gradients_of(half.loss, {half_hidden, half_head});
  EXPECT_EQ(gradients[1].scalar_type(), at::kBFloat16);
  EXPECT_LT((gradients[0].to(at::kFloat) - frozen[0]).abs().max().item<double>(), 5e-3);
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

}  // namespace
}  // namespace tarsier
