#include "tarsier/models/towers/window_qformer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/base/error.h"
#include "tests/models/tower_fixture.h"

namespace tarsier {
namespace {

WindowQFormer tower_of(const TowerFixture& fixture) {
  WindowQFormer tower(window_qformer_config(fixture.config));
  fixture.fill(tower);
  return tower;
}

class QFormerFixtures : public testing::TestWithParam<std::string> {};

TEST_P(QFormerFixtures, EveryStage) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture(GetParam());
  const WindowQFormer tower = tower_of(fixture);
  const Tensor &encoded = fixture.inputs.at("encoded"), &query = fixture.inputs.at("query");
  std::int64_t seen = 0;
  const Tensor out = tower(encoded, query, [&](std::int64_t block, const Tensor& x) {
    fixture.expect("block." + std::to_string(block), x);
    ++seen;
  });
  EXPECT_EQ(seen, fixture.blocks());
  fixture.expect("out", out);
}

TEST_P(QFormerFixtures, RecomputeGivesTheSameGradients) {
  const TowerFixture fixture(GetParam());
  WindowQFormer tower = tower_of(fixture);
  std::vector<Tensor> inputs;
  const std::vector<std::string> names = names_of(tower);
  const std::vector<Tensor> weights = learning_weights(tower);
  for (std::size_t i = 0; i < names.size(); ++i) {
    // One query sees itself alone, whatever its scores; a key's bias moves all scores alike.
    const bool is_score = names[i].find("attention.self.query") != std::string::npos ||
                          names[i].find("attention.self.key") != std::string::npos;
    if (!is_score ||
        (names[i].find("crossattention") != std::string::npos && !names[i].ends_with("key.bias")))
      inputs.push_back(weights[i]);
  }
  inputs.push_back(fixture.inputs.at("query").clone().requires_grad_(true));
  inputs.push_back(fixture.inputs.at("encoded").clone().requires_grad_(true));
  const auto run = [&] { return tower(inputs.back(), inputs[inputs.size() - 2]); };
  std::vector<Tensor> plain = gradients_of(run(), inputs);
  tower.set_recompute(true);
  std::vector<Tensor> again = gradients_of(run(), inputs);
  // Every layer reads the sound; what they give back is added up in another order.
  const Tensor of_sound = plain.back();
  EXPECT_LE((again.back() - of_sound).abs().max().item<double>(),
            1e-6 * of_sound.abs().max().item<double>());
  plain.pop_back();
  again.pop_back();
  expect_same_gradients(plain, again);
}

TEST_P(QFormerFixtures, WindowsAFewAtATimeAreTheWhole) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture(GetParam());
  const WindowQFormer tower = tower_of(fixture);
  const Tensor& query = fixture.inputs.at("query");
  const Tensor encoded = fixture.inputs.at("encoded").repeat({90, 1, 1});
  const Tensor whole = tower(encoded, query, [](std::int64_t, const Tensor&) {});
  EXPECT_GT(whole.size(0) * whole.size(1), 2 * 512);
  EXPECT_LE((tower(encoded, query) - whole).abs().max().item<double>(), 1e-5);
  const WindowQFormerConfig& config = tower.config();
  EXPECT_EQ(tower(encoded.slice(0, 0, 0), query).sizes(),
            (std::vector<std::int64_t>{0, config.windows(30), config.queries, config.width}));
}

INSTANTIATE_TEST_SUITE_P(Towers, QFormerFixtures, testing::Values("qformer", "qformer_overlap"),
                         [](const auto& each) { return each.param; });

TEST(WindowQFormer, SixteenBitsStayNearF32) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture("qformer");
  WindowQFormer tower = tower_of(fixture);
  const auto run = [&] { return tower(fixture.inputs.at("encoded"), fixture.inputs.at("query")); };
  const Tensor whole = run();
  narrow(tower);
  expect_near_in_16_bits(run(), whole);
}

TEST(WindowQFormer, AWindowSeesItsOwnPositions) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture("qformer");
  const WindowQFormer tower = tower_of(fixture);
  Tensor encoded = fixture.inputs.at("encoded").clone();
  const Tensor before = tower(encoded, fixture.inputs.at("query"));
  encoded[1].slice(0, 10, 15).fill_(0.5);  // window 2 of 5 positions
  const Tensor after = tower(encoded, fixture.inputs.at("query"));
  for (std::int64_t window = 0; window < 6; ++window) {
    EXPECT_EQ(at::equal(after[1][window], before[1][window]), window != 2) << window;
  }
  EXPECT_TRUE(at::equal(after[0], before[0]));
}

TEST(WindowQFormer, CountsWindowsAsPublished) {
  WindowQFormerConfig config;
  EXPECT_EQ(config.window(1500), 25);
  EXPECT_EQ(config.windows(1500), 60);
  config.second_per_window = config.second_stride = 0.333333;
  EXPECT_EQ(config.window(1500), 17);
  EXPECT_EQ(config.windows(1500), 88);
  config.second_per_window = 2.5;  // of 30 positions 2.5: to even
  config.second_stride = 3.5;
  EXPECT_EQ(config.window(30), 2);
  EXPECT_EQ(config.stride(30), 4);
  EXPECT_EQ(config.windows(30), 8);
  EXPECT_EQ(config.windows(12), 12);  // one position each
}

// Trap 12: widths by model, and what is not part of this tower. Sizes of
// models-video-salmonn-2.md 1.2, which count the query too.
TEST(WindowQFormer, PublishedNamesAndSizes) {
  WindowQFormerConfig config;
  EXPECT_EQ(config.epsilon, 1e-12);  // trap 10
  EXPECT_EQ(config.width, 3072);
  WindowQFormer second(config);
  EXPECT_EQ(parameters_of(second) + 3072, 280'095'744);
  EXPECT_NEAR(flops(config, 1, 1500) / 60 / 1e9, 1.3, 0.05);
  config.width = 768;
  config.intermediate = 3072;
  WindowQFormer first(config);
  EXPECT_EQ(parameters_of(first) + 768, 20'478'720);
  EXPECT_NEAR(flops(config, 1, 1500) / 60 / 1e9, 0.24, 0.015);
  const std::vector<std::string> names = names_of(first);
  EXPECT_EQ(names.size(), 2U + 2U * 26U);
  EXPECT_THAT(names, testing::Each(testing::StartsWith("bert.e")));
  EXPECT_THAT(names,
              testing::IsSupersetOf({"bert.embeddings.LayerNorm.weight",
                                     "bert.encoder.layer.0.attention.self.query.weight",
                                     "bert.encoder.layer.1.attention.output.LayerNorm.bias",
                                     "bert.encoder.layer.1.crossattention.self.key.bias",
                                     "bert.encoder.layer.0.crossattention.output.dense.weight",
                                     "bert.encoder.layer.0.intermediate_query.dense.weight",
                                     "bert.encoder.layer.1.output_query.dense.bias",
                                     "bert.encoder.layer.1.output_query.LayerNorm.weight"}));
}

TEST(WindowQFormerConfigs, AbsentKeysTakeDefaults) {
  for (const char* text : {"{}", R"({"qformer_config": {}})"}) {
    const WindowQFormerConfig config =
        window_qformer_config(parse_json(text, "config.json", JsonOwner::checkpoint));
    EXPECT_EQ(config.width, 3072);
    EXPECT_EQ(config.second_stride, 0.5);
  }
}

TEST(WindowQFormerConfigs, RefusalsNameTheKey) {
  const auto refusal = [](const std::string& text) {
    return config_refusal(text, [](const JsonView& json) { window_qformer_config(json); });
  };
  EXPECT_EQ(refusal(R"({"second_stride": 0})"),
            "config.json: second_stride: is 0, expected seconds from 0.02 to 30; check "
            "config.json");
  EXPECT_EQ(
      refusal(R"({"qformer_config": {"hidden_act": "relu"}})"),
      "config.json: qformer_config.hidden_act: is 'relu', expected 'gelu'; check config.json");
  EXPECT_EQ(refusal(R"({"qformer_config": {"add_cross_attention": false}})"),
            "config.json: qformer_config.add_cross_attention: is false, expected true; check "
            "config.json");
  EXPECT_EQ(refusal(R"({"qformer_config": {"cross_attention_freq": 2}})"),
            "config.json: qformer_config.cross_attention_freq: is 2, expected 1: every layer reads "
            "the sound; check config.json");
  EXPECT_EQ(refusal(R"({"qformer_config": {"hidden_size": 770}})"),
            "config.json: qformer_config: hidden_size 770 is not a multiple of num_attention_heads "
            "12; check hidden_size and num_attention_heads");
}

TEST(WindowQFormer, RefusesOtherShapes) {
  const WindowQFormer tower{WindowQFormerConfig{}};
  EXPECT_THROW(tower(at::zeros({1, 1500, 1281}), at::zeros({1, 1, 3072})), InternalError);
  EXPECT_THROW(tower(at::zeros({1, 1500, 1280}), at::zeros({1, 2, 3072})), InternalError);
}

}  // namespace
}  // namespace tarsier
