#include "tarsier/nn/lora.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <memory>
#include <thread>

#include "tarsier/nn/linear.h"
#include "tarsier/nn/recompute.h"

namespace tarsier {
namespace {

constexpr std::int64_t kIn = 40, kOut = 8, kRows = 50;

class LoraDropoutTest : public ::testing::Test {
 protected:
  void SetUp() override {
    at::manual_seed(3);
    x_ = at::randn({kRows, kIn});
    delta_.a = at::randn({2, kIn}).requires_grad_(true);
    delta_.b = at::randn({kOut, 2}).requires_grad_(true);
    layer_.weight = with_lora(at::randn({kOut, kIn}), std::make_shared<const LoraDelta>(delta_));
  }

  Tensor x_;
  LoraDelta delta_;
  Linear layer_{kIn, kOut, false};
};

TEST_F(LoraDropoutTest, EntriesAreDroppedOrGrow) {
  EXPECT_TRUE(lora_input(x_, delta_).is_same(x_));
  const WithLoraDropout dropping({0.25, 7});
  const Tensor given = lora_input(x_, delta_);
  const Tensor dropped = given == 0;
  EXPECT_NEAR(dropped.to(at::kFloat).mean().item<double>(), 0.25, 0.04);
  EXPECT_TRUE(at::allclose(given, at::where(dropped, 0, x_ / 0.75)));
}

TEST_F(LoraDropoutTest, WhichFollowsFromTheKeyAndTheChange) {
  const auto given = [&](double rate, std::uint64_t key, const LoraDelta& delta) {
    const WithLoraDropout dropping({rate, key});
    return lora_input(x_, delta);
  };
  LoraDelta other = delta_;
  other.number = 1;
  const Tensor once = given(0.5, 7, delta_);
  EXPECT_TRUE(at::equal(once, given(0.5, 7, delta_)));
  EXPECT_FALSE(at::equal(once, given(0.5, 8, delta_)));
  EXPECT_FALSE(at::equal(once, given(0.5, 7, other)));
  at::manual_seed(9);  // of the program's own generator, which is not asked
  EXPECT_TRUE(at::equal(once, given(0.5, 7, delta_)));
}

TEST_F(LoraDropoutTest, HoldsOnItsThreadUntilItsEnd) {
  const Tensor plain = layer_(x_);
  {
    const WithLoraDropout outer({0.5, 1});
    const Tensor dropped = layer_(x_);
    EXPECT_FALSE(at::equal(dropped, plain));
    {
      const WithLoraDropout inner({0, 0});
      EXPECT_TRUE(at::equal(layer_(x_), plain));
    }
    EXPECT_TRUE(at::equal(layer_(x_), dropped));
    Tensor elsewhere;
    std::thread([&] { elsewhere = layer_(x_); }).join();
    EXPECT_TRUE(at::equal(elsewhere, plain));
    const WithoutLora without;
    EXPECT_FALSE(at::equal(layer_(x_), plain));
    EXPECT_TRUE(at::equal(layer_(x_), at::linear(x_, layer_.weight)));
  }
  EXPECT_TRUE(at::equal(layer_(x_), plain));
}

// Backward runs the part again after the scope has ended, here on another thread.
TEST_F(LoraDropoutTest, ARecomputedPartDropsTheSame) {
  const auto gradients = [&](bool recompute) {
    Tensor loss;
    {
      const WithLoraDropout dropping({0.5, 3});
      const Part part = [this](const Tensor& in) { return layer_(in); };
      loss = (recompute ? recomputed(part, x_, {layer_.weight, delta_.a, delta_.b}) : part(x_))
                 .square()
                 .sum();
    }
    std::vector<Tensor> found;
    std::thread([&] { found = torch::autograd::grad({loss}, {delta_.a, delta_.b}); }).join();
    return found;
  };
  const std::vector<Tensor> plain = gradients(false), again = gradients(true);
  EXPECT_TRUE(at::equal(plain[0], again[0]));
  EXPECT_TRUE(at::equal(plain[1], again[1]));
}

}  // namespace
}  // namespace tarsier
