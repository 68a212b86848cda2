#include "tarsier/train/optimizer/optimizer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tarsier/train/optimizer/average.h"
#include "tarsier/train/optimizer/groups.h"
#include "tarsier/train/optimizer/muon.h"
#include "tarsier/train/optimizer/schedule.h"

namespace tarsier {
namespace {

TEST(Schedule, WarmsUpThenFalls) {
  const Schedule cosine{ScheduleShape::cosine, 110, 10, 1.0, 0.1};
  EXPECT_DOUBLE_EQ(learning_rate(cosine, 0), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(cosine, 9), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(cosine, 10), 1.0);
  EXPECT_NEAR(learning_rate(cosine, 60), 0.55, 1e-12);
  EXPECT_NEAR(learning_rate(cosine, 110), 0.1, 1e-12);
  EXPECT_DOUBLE_EQ(learning_rate({ScheduleShape::cosine, 5, 0, 2.0, 0.0}, 0), 2.0);
  const Schedule linear{ScheduleShape::linear, 110, 10, 1.0, 0.1};
  EXPECT_DOUBLE_EQ(learning_rate(linear, 4), 0.5);
  EXPECT_NEAR(learning_rate(linear, 35), 0.775, 1e-12);
  EXPECT_NEAR(learning_rate(linear, 110), 0.1, 1e-12);
  const Schedule constant{ScheduleShape::constant, 110, 10, 1.0, 0.1};
  EXPECT_DOUBLE_EQ(learning_rate(constant, 4), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate(constant, 109), 1.0);
}

// training.md 15: peak, steps, warm-up of Tarsier2's stages.
TEST(Schedule, HasThePublishedStagesRates) {
  const auto stage = [](double peak, std::int64_t steps, std::int64_t warmup) {
    return Schedule{ScheduleShape::cosine, steps, warmup, peak, 0};
  };
  const Schedule pretrain = stage(2e-5, 200'000, 1000), sft_1 = stage(2e-5, 5000, 250),
                 sft_2 = stage(2e-6, 5000, 250), dpo = stage(1e-6, 1000, 100);
  EXPECT_NEAR(rate_at(pretrain, 500), 1.0e-5, 1e-11);
  EXPECT_NEAR(rate_at(pretrain, 1000), 2.0e-5, 1e-11);
  EXPECT_NEAR(rate_at(pretrain, 100'000), 1.007893e-5, 1e-11);
  EXPECT_NEAR(rate_at(pretrain, 100'500), 1.0e-5, 1e-11);
  EXPECT_NEAR(rate_at(pretrain, 200'000), 0, 1e-11);
  EXPECT_NEAR(rate_at(sft_1, 2500), 1.082579e-5, 1e-11);
  EXPECT_NEAR(rate_at(sft_2, 2500), 1.082579e-6, 1e-12);
  EXPECT_NEAR(rate_at(dpo, 500), 5.868241e-7, 1e-13);
  EXPECT_NEAR(rate_at(dpo, 550), 5.0e-7, 1e-13);
}

TEST(WeightGroups, PatternsAreBeginningsWithStars) {
  EXPECT_TRUE(begins_with("visual.blocks.3.mlp.fc1.weight", "visual.blocks."));
  EXPECT_FALSE(begins_with("visual.merger.ln_q.weight", "visual.blocks."));
  EXPECT_TRUE(begins_with("model.layers.0.mlp.up_proj.weight", "*.mlp."));
  EXPECT_TRUE(begins_with("model.layers.0.mlp.up_proj.weight", "model.*.weight"));
  EXPECT_FALSE(begins_with("model.layers.0.mlp.up_proj.bias", "model.*.weight"));
  EXPECT_TRUE(begins_with("anything", ""));
}

// training.md 2.6, for a tower of 32 blocks.
TEST(WeightGroups, VisionLayersLearnSlowerTheDeeperTheyLie) {
  EXPECT_NEAR(vision_layer_rate("visual.patch_embed.proj.weight", 32, 0.9), 0.0309, 5e-5);
  EXPECT_NEAR(vision_layer_rate("visual.blocks.0.norm1.weight", 32, 0.9), 0.0343, 5e-5);
  EXPECT_NEAR(vision_layer_rate("visual.blocks.15.norm1.weight", 32, 0.9), 0.1668, 5e-5);
  EXPECT_NEAR(vision_layer_rate("visual.blocks.31.norm1.weight", 32, 0.9), 0.9, 1e-9);
  EXPECT_EQ(vision_layer_rate("visual.merger.mlp.0.weight", 32, 0.9), 1);
  EXPECT_EQ(vision_layer_rate("model.layers.0.mlp.up_proj.weight", 32, 0.9), 1);
}

TEST(WeightGroups, ArePartsOfTheModelUnlessAPatternNamesThem) {
  Optimizer optimizer;
  for (const char* path : {"visual.blocks.0.fc.weight", "visual.merger.mlp.0.weight",
                           "model.norm.weight", "lm_head.weight", "training_only.probe.bias"})
    optimizer.add(path, at::ones({2}));
  const auto groups = [&](const std::vector<WeightGroup>& rules) {
    EXPECT_EQ(assign_groups(optimizer.parameters(), rules, 1), std::nullopt);
    std::vector<std::string> names;
    for (const auto& parameter : optimizer.parameters()) names.push_back(parameter.group);
    return names;
  };
  EXPECT_EQ(groups({}), (std::vector<std::string>{"vision", "projector", "decoder", "decoder",
                                                  "training_only"}));
  EXPECT_EQ(groups({{"*.merger.", 2, {}}, {"", 1, {}}}),
            (std::vector<std::string>{"all", "*.merger.", "all", "all", "all"}));
}

TEST(WeightGroups, PatternsSayWhatLearnsAndWhatIsFrozen) {
  Optimizer optimizer;
  for (const char* path : {"visual.blocks.0.attn.qkv.weight", "visual.merger.mlp.0.weight",
                           "model.layers.0.mlp.up_proj.weight", "training_only.probe.bias"})
    optimizer.add(path, at::ones({2}));
  const auto learning = [&](const std::vector<std::string>& train,
                            const std::vector<std::string>& freeze) {
    EXPECT_EQ(choose_learning(optimizer.parameters(), train, freeze), std::nullopt);
    std::string learns;
    for (const auto& each : optimizer.parameters())
      learns += each.weight.requires_grad() ? '1' : '0';
    return learns;
  };
  EXPECT_EQ(learning({""}, {}), "1111");
  EXPECT_EQ(learning({"*.mlp."}, {}), "0111");
  EXPECT_EQ(learning({"*.mlp."}, {"model.*.up_proj"}), "0101");
  EXPECT_EQ(learning({"visual."}, {"visual.blocks."}), "0101");
  const std::vector<std::string> all{""}, none{"visual.", "vision."};
  EXPECT_EQ(choose_learning(optimizer.parameters(), none, {}), "vision.");
  EXPECT_EQ(choose_learning(optimizer.parameters(), all, none), "vision.");
}

TEST(WeightGroups, FirstMatchGivesRateAndDecay) {
  Optimizer optimizer;
  Workers alone(1);
  const std::vector<std::string> paths{"visual.blocks.0.fc.weight", "visual.blocks.1.fc.weight",
                                       "visual.blocks.1.norm.weight", "model.norm.weight"};
  for (const std::string& path : paths)
    optimizer.add(path, path.find("norm") == std::string::npos ? at::ones({2, 2}) : at::ones({2}));
  const std::vector<WeightGroup> groups{{"visual.blocks.0.", 0.5, 0.25}, {"visual.", 0.1, {}}};
  EXPECT_EQ(assign_groups(optimizer.parameters(), groups, 0.9), std::nullopt);
  const auto rate = [&](std::size_t i) { return optimizer.parameters()[i].rate; };
  EXPECT_NEAR(rate(0), 0.5 * 0.81, 1e-12);
  EXPECT_NEAR(rate(1), 0.1 * 0.9, 1e-12);
  EXPECT_EQ(rate(3), 1);
  const std::vector<WeightGroup> wrong{{"visual.", 1, {}}, {"vision.", 1, {}}};
  EXPECT_EQ(assign_groups(optimizer.parameters(), wrong, 1), "vision.");
  EXPECT_EQ(rate(0), 1);

  // A gradient of zeros leaves the decay alone to act.
  for (const bool decay_vectors : {false, true}) {
    for (const UpdateRule rule : {UpdateRule::adamw, UpdateRule::muon}) {
      for (auto& parameter : optimizer.parameters()) parameter.weight.fill_(1);
      assign_groups(optimizer.parameters(), groups, 1);
      optimizer.add_gradients(
          {at::zeros({2, 2}), at::zeros({2, 2}), at::zeros({2}), at::zeros({2})});
      optimizer.step({0.1, 0.4, 0.9, 0.99, 1e-8, rule, decay_vectors}, 1, alone);
      const auto value = [&](std::size_t i) {
        return optimizer.parameters()[i].weight.flatten()[0].item<double>();
      };
      EXPECT_NEAR(value(0), 1 - 0.1 * 0.5 * 0.25, 1e-6);
      EXPECT_NEAR(value(1), 1 - 0.1 * 0.1 * 0.4, 1e-6);
      EXPECT_NEAR(value(2), decay_vectors ? 1 - 0.1 * 0.1 * 0.4 : 1, 1e-6);
      EXPECT_NEAR(value(3), decay_vectors ? 1 - 0.1 * 0.4 : 1, 1e-6);
    }
  }
}

TEST(Averages, FollowTheWeightsAndStandInForThem) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    Tensor weight = at::full({1, 2}, 1.0, type).requires_grad_(true);
    Optimizer optimizer;
    optimizer.add("w", weight);
    optimizer.add("training_only.w", at::ones({2}));
    start_averages(optimizer);
    Optimizer::Parameter& parameter = optimizer.parameters()[0];
    EXPECT_FALSE(optimizer.parameters()[1].average.defined());
    {
      const at::NoGradGuard no_grad;
      parameter.master.fill_(3);
      parameter.weight.fill_(3);
    }
    update_averages(optimizer, 0.75);
    EXPECT_EQ(parameter.average[0][1].item<double>(), 1.5);
    {
      const AveragedWeights averaged(optimizer);
      EXPECT_EQ(weight[0][0].item<double>(), 1.5);
    }
    EXPECT_EQ(weight[0][0].item<double>(), 3);
    EXPECT_EQ(parameter.master[0][0].item<double>(), 3);
    EXPECT_EQ(parameter.average[0][0].item<double>(), 1.5);
  }
  EXPECT_DOUBLE_EQ(average_decay(0.999, 1), 2.0 / 11);
  EXPECT_DOUBLE_EQ(average_decay(0.999, 1'000'000), 0.999);
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
    EXPECT_NEAR(joint_norm(optimizer.gradient_norms()), 6, 1e-5);
    EXPECT_NEAR(optimizer.gradient_norms()[0], std::sqrt(18), 1e-5);
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

TEST(Muon, ManyMatricesAtOnceAreAsOneByOne) {
  for (const auto& [rows, columns] : {std::pair{24, 40}, {40, 24}}) {
    at::manual_seed(3);
    const Tensor matrices = at::randn({3, rows, columns});
    const Tensor all = orthogonalized(matrices);
    for (std::int64_t i = 0; i < 3; ++i)
      EXPECT_TRUE(at::allclose(all[i], orthogonalized(matrices[i]), 1e-4, 1e-5));
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
