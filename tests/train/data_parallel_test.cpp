#include "tarsier/train/distributed/data_parallel.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "tarsier/models/registry.h"
#include "tarsier/train/optimizer/average.h"
#include "tests/train/rank_threads.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

TEST(Owners, TheLargestGoFirstToTheRankThatHasLeast) {
  EXPECT_EQ(balanced_owners(std::vector<std::int64_t>{1, 5, 3, 3}, 2),
            (std::vector<std::int64_t>{0, 0, 1, 1}));
  EXPECT_EQ(balanced_owners(std::vector<std::int64_t>{4, 4}, 1), (std::vector<std::int64_t>{0, 0}));
  EXPECT_EQ(balanced_owners(std::vector<std::int64_t>{7}, 4), (std::vector<std::int64_t>{0}));
}

// What this rank's moments, averages and masters of their own hold, in elements.
std::int64_t elements_held(const Optimizer& optimizer) {
  std::int64_t held = 0;
  for (const Optimizer::Parameter& parameter : optimizer.parameters()) {
    for (const Tensor& tensor : {parameter.mean, parameter.variance, parameter.average})
      held += tensor.defined() ? tensor.numel() : 0;
    if (parameter.master.defined() && !parameter.master.is_same(parameter.weight))
      held += parameter.master.numel();
  }
  return held;
}

TEST(Owners, EachRankHoldsItsShareOfTheOptimizersStateAndNoMore) {
  LoadOptions load;
  load.random_weights = 3;
  load.dtype = at::kBFloat16;
  load.trainable = true;
  const auto model = load_model(test::make_tiny_model(test::fresh_folder("shares")), load);
  const auto held = [&](RankPlace place) {
    Learner learner(model, {1, 2, 3}, 2048, place);
    start_averages(learner.optimizer());
    return elements_held(learner.optimizer());
  };
  const std::int64_t whole = held({0, 1});
  std::int64_t largest = 0;
  Learner alone(model, {1, 2, 3}, 2048);
  for (const Optimizer::Parameter& parameter : alone.optimizer().parameters())
    largest = std::max(largest, parameter.weight.numel());
  for (const std::int64_t size : {2, 4}) {
    std::int64_t sum = 0;
    for (std::int64_t rank = 0; rank < size; ++rank) {
      const std::int64_t part = held({rank, size});
      EXPECT_LE(part, whole / size + 4 * largest) << rank << " of " << size;
      EXPECT_LT(part, whole) << rank << " of " << size;
      sum += part;
    }
    EXPECT_EQ(sum, whole);
  }
}

void as_ranks(std::int64_t size, const std::function<void(Communicator&)>& body) {
  const auto failures = test::run_rank_threads(size, [&](const Launch& launch) {
    body(*join_ranks(launch, at::kCPU, std::chrono::seconds(60)));
  });
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

TEST(DataParallel, TotalsAreThoseOfAllRanks) {
  for (const std::int64_t size : {1, 3}) {
    as_ranks(size, [&](Communicator& world) {
      StepData data;
      for (std::int64_t i = 0; i <= world.rank(); ++i) {
        Batch batch;
        batch.ids = {"a", "b"};
        batch.tokens = at::zeros({5}, at::kLong);
        batch.weight_sum = 0.5;
        data.micro_batches.push_back(batch);
      }
      data.bad.resize(1);
      const StepTotals totals = total(world, data, static_cast<double>(world.rank() + 1));
      const std::int64_t batches = size * (size + 1) / 2;
      EXPECT_EQ(totals.micro_batches, batches);
      EXPECT_EQ(totals.target_weight, 0.5 * static_cast<double>(batches));
      EXPECT_EQ(totals.clips, 2 * batches);
      EXPECT_EQ(totals.tokens, 5 * batches);
      EXPECT_EQ(totals.bad, size);
      EXPECT_EQ(totals.waited, static_cast<double>(size));
      StepLosses losses;
      losses.total = 1;
      losses.event_cells = static_cast<double>(world.rank());
      losses = total(world, losses);
      EXPECT_EQ(losses.total, static_cast<double>(size));
      EXPECT_EQ(losses.event_cells, static_cast<double>(size * (size - 1) / 2));
      EXPECT_TRUE(any(world, world.rank() == size - 1));
      EXPECT_FALSE(any(world, false));
    });
  }
}

// Three parameters on two ranks; the second has a gradient on one rank alone, the third on none.
TEST(DataParallel, OwnersGetTheSumOfGradientsAndTheirWeightsReachAll) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    as_ranks(2, [&](Communicator& world) {
      const std::int64_t rank = world.rank();
      std::vector<Tensor> weights;
      Optimizer optimizer;
      const std::int64_t owners[] = {1, 0, 1};
      for (std::int64_t i = 0; i < 3; ++i) {
        weights.push_back(at::ones({2, i + 1}, type).requires_grad_(true));
        optimizer.add("w" + std::to_string(i), weights.back(), owners[i], owners[i] == rank);
      }
      const auto gradients = [&](double value) {
        return std::vector<Tensor>{at::full({2, 1}, value),
                                   rank == 1 ? at::full({2, 2}, value) : Tensor(), Tensor()};
      };
      optimizer.add_gradients(gradients(static_cast<double>(rank + 1)));
      const std::vector<bool> learned = sum_gradients(world, optimizer);
      EXPECT_EQ(learned, (std::vector<bool>{true, true, false}));
      for (std::size_t i = 0; i < 3; ++i) {
        const Tensor& gradient = optimizer.parameters()[i].gradient;
        EXPECT_EQ(gradient.defined(), learned[i] && owners[i] == rank) << i;
        if (gradient.defined()) {
          EXPECT_EQ(gradient[1][0].item<double>(), i == 0 ? 3 : 2);
        }
      }
      EXPECT_NEAR(gradient_norm(world, optimizer), std::sqrt(2 * 9.0 + 4 * 4.0), 1e-6);
      Workers alone(1);
      optimizer.step({0.25, 0, 0.9, 0.99, 1e-8}, 1, alone);
      spread_weights(world, optimizer, learned);
      // AdamW's first step is the rate, against the gradient's sign.
      EXPECT_NEAR(weights[0][1][0].item<double>(), 0.75, 1e-6);
      EXPECT_NEAR(weights[1][1][1].item<double>(), 0.75, 1e-6);
      EXPECT_EQ(weights[2][1][2].item<double>(), 1);

      // A rank whose gradient is not a number is everyone's.
      optimizer.add_gradients(
          gradients(rank == 0 ? std::numeric_limits<double>::quiet_NaN() : 1.0));
      sum_gradients(world, optimizer);
      EXPECT_TRUE(std::isnan(gradient_norm(world, optimizer)));
      optimizer.clear_gradients();
    });
  }
}

// More than travels together at a time.
TEST(DataParallel, LargeTensorsTravelToo) {
  as_ranks(2, [](Communicator& world) {
    Optimizer optimizer;
    std::vector<Tensor> weights, gradients;
    for (std::int64_t i = 0; i < 3; ++i) {
      const std::int64_t size = i == 1 ? 9 << 20 : 5 << 20;
      weights.push_back(at::zeros({size}));
      gradients.push_back(at::full({size}, static_cast<double>(world.rank() + i)));
      optimizer.add("w", weights.back(), 1, world.rank() == 1);
    }
    optimizer.add_gradients(gradients);
    sum_gradients(world, optimizer);
    for (std::int64_t i = 0; i < 3 && world.rank() == 1; ++i) {
      const Tensor& sum = optimizer.parameters()[static_cast<std::size_t>(i)].gradient;
      EXPECT_EQ(sum[-1].item<double>(), static_cast<double>(2 * i + 1));
      weights[static_cast<std::size_t>(i)].fill_(i + 5);
    }
    spread_weights(world, optimizer);
    for (std::int64_t i = 0; i < 3; ++i)
      EXPECT_EQ(weights[static_cast<std::size_t>(i)][-1].item<double>(),
                static_cast<double>(i + 5));
  });
}

}  // namespace
}  // namespace tarsier
