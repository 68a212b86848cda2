#include "tarsier/models/towers/qwen2_5_vl_vit.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tarsier/base/error.h"
#include "tests/models/tower_fixture.h"

namespace tarsier {
namespace {

Qwen2_5VlVit tower_of(const TowerFixture& fixture) {
  const std::int64_t hidden = fixture.config.at("out_hidden_size").as_int();
  Qwen2_5VlVit tower(qwen2_5_vl_vit_config(fixture.config, hidden));
  fixture.fill(tower);
  return tower;
}

Qwen2_5VlVitConfig config_of(const std::string& text, std::int64_t decoder_hidden_size) {
  return qwen2_5_vl_vit_config(parse_json(text, "config.json", JsonOwner::checkpoint),
                               decoder_hidden_size);
}

std::vector<std::int64_t> first_numbers(std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

class Qwen25VitFixtures : public testing::TestWithParam<std::string> {};

TEST_P(Qwen25VitFixtures, EveryStage) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture(GetParam());
  const Qwen2_5VlVit tower = tower_of(fixture);
  const Tensor &pixels = fixture.inputs.at("pixels"), &grid = fixture.inputs.at("grid");
  std::int64_t seen = 0;
  const Tensor out = tower(pixels, grid, [&](std::int64_t block, const Tensor& x) {
    fixture.expect("block." + std::to_string(block), x);
    ++seen;
  });
  EXPECT_EQ(seen, fixture.blocks());
  fixture.expect("out", out);
  fixture.expect("out", tower(pixels, grid));
}

TEST_P(Qwen25VitFixtures, RecomputeGivesTheSameGradients) {
  const TowerFixture fixture(GetParam());
  Qwen2_5VlVit tower = tower_of(fixture);
  std::vector<Tensor> inputs = learning_weights(tower);
  inputs.push_back(fixture.inputs.at("pixels").clone().requires_grad_(true));
  const auto run = [&] { return tower(inputs.back(), fixture.inputs.at("grid")); };
  const std::vector<Tensor> plain = gradients_of(run(), inputs);
  tower.set_recompute(true);
  expect_same_gradients(plain, gradients_of(run(), inputs));
}

TEST_P(Qwen25VitFixtures, ChunksOfSlicesAreTheWhole) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture(GetParam());
  const Qwen2_5VlVit tower = tower_of(fixture);
  const std::int64_t repeats = 2 * 8192 / fixture.inputs.at("pixels").size(0) + 1;
  const Tensor pixels = fixture.inputs.at("pixels").repeat({repeats, 1});
  const Tensor grid = fixture.inputs.at("grid").repeat({repeats, 1});
  const Tensor whole = tower(pixels, grid, [](std::int64_t, const Tensor&) {});
  EXPECT_LE((tower(pixels, grid) - whole).abs().max().item<double>(), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Towers, Qwen25VitFixtures,
                         testing::Values("qwen2_5_vl", "qwen2_5_vl_divisible"),
                         [](const auto& each) { return each.param; });

TEST(Qwen25Vit, SixteenBitsStayNearF32) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture("qwen2_5_vl");
  Qwen2_5VlVit tower = tower_of(fixture);
  const auto run = [&] { return tower(fixture.inputs.at("pixels"), fixture.inputs.at("grid")); };
  const Tensor whole = run();
  narrow(tower);
  expect_near_in_16_bits(run(), whole);
}

// Trap 20: models-video-salmonn-2.md 3.5, T11, in merged tokens.
TEST(WindowOrders, CutWindowsAtTheEdges) {
  const WindowOrder order = window_order(5, 6, 4);
  EXPECT_EQ(order.tokens,
            (std::vector<std::int64_t>{0,  1, 2, 3,  6,  7,  8,  9,  12, 13, 14, 15, 18, 19, 20,
                                       21, 4, 5, 10, 11, 16, 17, 22, 23, 24, 25, 26, 27, 28, 29}));
  EXPECT_EQ(order.ends, (std::vector<std::int64_t>{64 / 4, 96 / 4, 112 / 4, 120 / 4}));
}

TEST(WindowOrders, NoEmptyWindowWhereTheyDivide) {
  const WindowOrder order = window_order(4, 4, 4);
  EXPECT_EQ(order.tokens, first_numbers(16));
  EXPECT_EQ(order.ends, (std::vector<std::int64_t>{16}));
  const WindowOrder video = window_order(10, 18, 4);
  EXPECT_EQ(150 * video.ends.size(), 2250U);
  EXPECT_EQ(std::vector<std::int64_t>(video.ends.begin(), video.ends.begin() + 7),
            (std::vector<std::int64_t>{16, 32, 48, 64, 72, 88, 104}));
}

// Trap 21: attention stays within one temporal slice, also in blocks of full attention.
TEST(Qwen25Vit, SlicesAreApart) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture("qwen2_5_vl");  // grids 2 x 6 x 8 and 1 x 4 x 10
  const Qwen2_5VlVit tower = tower_of(fixture);
  Tensor pixels = fixture.inputs.at("pixels").clone();
  const Tensor before = tower(pixels, fixture.inputs.at("grid"));
  pixels[48].fill_(0.5);  // of the second slice
  const Tensor after = tower(pixels, fixture.inputs.at("grid"));
  EXPECT_TRUE(at::equal(after.slice(0, 0, 12), before.slice(0, 0, 12)));
  EXPECT_TRUE(at::equal(after.slice(0, 24), before.slice(0, 24)));
  // Through the full block, every token of its slice.
  const Tensor changed = (after.slice(0, 12, 24) - before.slice(0, 12, 24)).abs().amax(1);
  EXPECT_GT(changed.min().item<double>(), 0);
}

TEST(Qwen25Vit, WindowsAreApartWithoutFullBlocks) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture("qwen2_5_vl_divisible");  // windows of 2 x 2 tokens
  Qwen2_5VlVitConfig config = qwen2_5_vl_vit_config(fixture.config, 12);
  config.full_attention_blocks.clear();
  Qwen2_5VlVit tower(config);
  fixture.fill(tower);
  Tensor pixels = fixture.inputs.at("pixels").slice(0, 0, 64).clone();
  const Tensor grid = at::tensor({1, 8, 8}, at::kLong).view({1, 3});
  const Tensor before = tower(pixels, grid);
  pixels[0].fill_(0.5);  // of token 0, whose window holds 0, 1, 4 and 5
  const Tensor changed = (tower(pixels, grid) - before).abs().amax(1);
  for (std::int64_t token = 0; token < 16; ++token) {
    const bool same_window = token == 0 || token == 1 || token == 4 || token == 5;
    EXPECT_EQ(changed[token].item<double>() > 0, same_window) << token;
  }
}

// Check sums of models-video-salmonn-2.md 1.2; trap 25: the largest has a wider MLP.
TEST(Qwen25Vit, PublishedSizes) {
  struct Size {
    std::int64_t hidden, intermediate, parameters;
  };
  for (const Size& size : {Size{2048, 3420, 668'684'288}, Size{3584, 3420, 676'550'144},
                           Size{8192, 3456, 704'573'696}}) {
    Qwen2_5VlVitConfig config;
    config.hidden_size = size.hidden;
    config.intermediate = size.intermediate;
    Qwen2_5VlVit tower(config);
    EXPECT_EQ(parameters_of(tower), size.parameters);
  }
  EXPECT_NEAR(flops(Qwen2_5VlVitConfig{}, {150, 20, 36}) / 1e12, 141, 0.5);
  Qwen2_5VlVit tower{Qwen2_5VlVitConfig{}};
  EXPECT_THAT(
      names_of(tower),
      testing::IsSupersetOf({"patch_embed.proj.weight", "blocks.0.norm1.weight",
                             "blocks.31.attn.qkv.bias", "blocks.31.attn.proj.weight",
                             "blocks.0.mlp.gate_proj.bias", "blocks.0.mlp.down_proj.bias",
                             "merger.ln_q.weight", "merger.mlp.0.bias", "merger.mlp.2.weight"}));
  EXPECT_EQ(names_of(tower).size(), 1U + 32U * 12U + 5U);
}

// Trap 26: the published configurations leave most keys out, and write two of them otherwise.
TEST(Qwen25VitConfigs, PublishedOnesTakeDefaults) {
  const Qwen2_5VlVitConfig small = config_of(
      R"({"hidden_size": 1280, "in_chans": 3, "model_type": "qwen2_5_vl", "out_hidden_size": 2048,
          "spatial_patch_size": 14, "tokens_per_second": 2})",
      2048);
  EXPECT_EQ(small.hidden_size, 2048);
  EXPECT_EQ(small.intermediate, 3420);
  const Qwen2_5VlVitConfig middle = config_of(R"({"in_chans": 3, "spatial_patch_size": 14})", 3584);
  EXPECT_EQ(middle.hidden_size, 3584);
  EXPECT_EQ(middle.depth, 32);
  EXPECT_EQ(middle.window_side(), 4);
  EXPECT_THAT(middle.full_attention_blocks, testing::ElementsAre(7, 15, 23, 31));
  const Qwen2_5VlVitConfig large = config_of(
      R"({"depth": 32, "fullatt_block_indexes": [7, 15, 23, 31], "hidden_act": "silu",
          "hidden_size": 1280, "in_chans": 3, "intermediate_size": 3456, "num_heads": 16,
          "out_hidden_size": 8192, "patch_size": 14, "spatial_merge_size": 2,
          "spatial_patch_size": 14, "temporal_patch_size": 2, "window_size": 112})",
      8192);
  EXPECT_EQ(large.intermediate, 3456);
  EXPECT_EQ(config_of(R"({"in_chans": 1, "spatial_patch_size": 7})", 64).patch_values(), 98);
}

TEST(Qwen25VitConfigs, RefusalsNameTheKey) {
  const auto refusal = [](const std::string& text) {
    return config_refusal(text, [](const JsonView& json) { qwen2_5_vl_vit_config(json, 3584); });
  };
  EXPECT_EQ(refusal(R"({"hidden_act": "gelu"})"),
            "config.json: hidden_act: is 'gelu', expected 'silu'; check config.json");
  EXPECT_EQ(refusal(R"({"out_hidden_size": 2048})"),
            "config.json: out_hidden_size: is 2048, expected the decoder's hidden_size 3584; check "
            "config.json");
  EXPECT_EQ(refusal(R"({"num_heads": 10, "hidden_size": 420})"),
            "config.json: hidden_size 420 gives heads of 420 / 10 values, expected a multiple of "
            "4; check hidden_size and num_heads");
  EXPECT_EQ(refusal(R"({"window_size": 27})"),
            "config.json: window_size 27 holds no merged token of 2 x 14 pixels; check "
            "window_size, spatial_merge_size and patch_size");
  EXPECT_THAT(refusal(R"({"fullatt_block_indexes": [-1]})"),
              testing::StartsWith("config.json: fullatt_block_indexes[0]: "));
}

TEST(Qwen25Vit, RefusesAGridThatDoesNotFit) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture("qwen2_5_vl");
  const Qwen2_5VlVit tower = tower_of(fixture);
  const Tensor& pixels = fixture.inputs.at("pixels");
  EXPECT_THROW(tower(pixels, at::tensor({3, 6, 8}, at::kLong).view({1, 3})), InternalError);
  EXPECT_THROW(tower(pixels, at::tensor({2, 6, 8}, at::kLong).view({1, 3})), InternalError);
}

}  // namespace
}  // namespace tarsier
