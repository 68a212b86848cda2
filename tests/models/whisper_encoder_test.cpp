#include "tarsier/models/towers/whisper_encoder.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tarsier/base/error.h"
#include "tarsier/models/towers/sinusoids.h"
#include "tests/models/tower_fixture.h"

namespace tarsier {
namespace {

WhisperEncoder tower_of(const TowerFixture& fixture) {
  WhisperEncoder tower(whisper_config(fixture.config));
  fixture.fill(tower);
  return tower;
}

class WhisperFixtures : public testing::TestWithParam<std::string> {};

TEST_P(WhisperFixtures, EveryStage) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture(GetParam());
  const WhisperEncoder tower = tower_of(fixture);
  std::int64_t seen = 0;
  const Tensor out = tower(fixture.inputs.at("mel"), [&](std::int64_t block, const Tensor& x) {
    fixture.expect("block." + std::to_string(block), x);
    ++seen;
  });
  EXPECT_EQ(seen, fixture.blocks());
  fixture.expect("out", out);
  fixture.expect("out", tower(fixture.inputs.at("mel")));
}

TEST_P(WhisperFixtures, RecomputeGivesTheSameGradients) {
  const TowerFixture fixture(GetParam());
  WhisperEncoder tower = tower_of(fixture);
  std::vector<Tensor> inputs = learning_weights(tower);
  inputs.push_back(fixture.inputs.at("mel").clone().requires_grad_(true));
  const std::vector<Tensor> plain = gradients_of(tower(inputs.back()), inputs);
  tower.set_recompute(true);
  expect_same_gradients(plain, gradients_of(tower(inputs.back()), inputs));
}

TEST_P(WhisperFixtures, ChunksAFewAtATimeAreTheWhole) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture(GetParam());
  const WhisperEncoder tower = tower_of(fixture);
  const Tensor mel = fixture.inputs.at("mel").repeat({6000 / tower.config().positions + 1, 1, 1});
  const Tensor whole = tower(mel, [](std::int64_t, const Tensor&) {});
  EXPECT_LE((tower(mel) - whole).abs().max().item<double>(), 1e-5);
  EXPECT_EQ(tower(mel.slice(0, 0, 0)).sizes(),
            (std::vector<std::int64_t>{0, tower.config().positions, tower.config().width}));
}

// The stored table of a fresh model is the table of sines.
TEST_P(WhisperFixtures, PositionsAreBlocksOfSineAndCosine) {
  const Tensor stored = TowerFixture(GetParam()).weights.at("embed_positions.weight");
  EXPECT_LE((whisper_positions(stored.size(0), stored.size(1)) - stored).abs().max().item<double>(),
            1e-5);
}

INSTANTIATE_TEST_SUITE_P(Towers, WhisperFixtures, testing::Values("whisper", "whisper_short"),
                         [](const auto& each) { return each.param; });

TEST(WhisperEncoder, SixteenBitsStayNearF32) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture("whisper");
  WhisperEncoder tower = tower_of(fixture);
  const auto run = [&] { return tower(fixture.inputs.at("mel")); };
  const Tensor whole = run();
  narrow(tower);
  expect_near_in_16_bits(run(), whole);
}

TEST(WhisperEncoder, ChunksAreApart) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture("whisper");
  const WhisperEncoder tower = tower_of(fixture);
  Tensor mel = fixture.inputs.at("mel").clone();
  const Tensor before = tower(mel);
  mel[0].fill_(-0.5);
  const Tensor after = tower(mel);
  EXPECT_FALSE(at::equal(after[0], before[0]));
  EXPECT_TRUE(at::equal(after[1], before[1]));
}

// Trap 10: keys have no bias, all else has. Trap 12: no norm and no projection behind it.
TEST(WhisperEncoder, PublishedNamesAndSize) {
  WhisperEncoder tower{WhisperConfig{}};
  EXPECT_EQ(parameters_of(tower), 636'968'960);
  const std::vector<std::string> names = names_of(tower);
  EXPECT_EQ(names.size(), 4U + 1U + 32U * 15U + 2U);
  std::int64_t without_bias = 0;
  for (const std::string& name : names) {
    if (!name.ends_with("_proj.weight")) continue;
    const std::string bias = name.substr(0, name.size() - 6) + "bias";
    const bool has_bias = std::ranges::count(names, bias) == 1;
    EXPECT_EQ(has_bias, name.find("k_proj") == std::string::npos) << name;
    without_bias += has_bias ? 0 : 1;
  }
  EXPECT_EQ(without_bias, 32);
  EXPECT_THAT(names, testing::IsSupersetOf(
                         {"conv1.weight", "conv2.bias", "embed_positions.weight",
                          "layers.31.self_attn.k_proj.weight", "layers.0.self_attn.out_proj.bias",
                          "layers.0.self_attn_layer_norm.weight", "layers.31.final_layer_norm.bias",
                          "layers.0.fc1.weight", "layers.31.fc2.bias", "layer_norm.weight",
                          "layer_norm.bias"}));
  EXPECT_EQ(WhisperConfig{}.layer().epsilon, 1e-5);
  EXPECT_NEAR(flops(WhisperConfig{}, 1) / 1e12, 2.27, 0.005);
}

// Trap 9: models-video-salmonn-2.md 3.5, T3 and T6.
TEST(Sinusoids, WhisperHasBlocks) {
  const Tensor table = whisper_positions(1500, 1280);
  const auto expect = [&](std::int64_t row, std::int64_t column, double value) {
    EXPECT_NEAR(table[row][column].item<double>(), value, 1e-6) << row << ' ' << column;
  };
  expect(1, 0, 0.841471);
  expect(1, 1, 0.833653);
  expect(1, 2, 0.825780);
  expect(1, 640, 0.540302);
  expect(1, 641, 0.552288);
  expect(1, 642, 0.563993);
  expect(1499, 0, -0.444221);
  expect(1499, 639, 0.149339);
  expect(1499, 640, -0.895917);
}

TEST(Sinusoids, ChunksTakeTurnsBehindAZeroRow) {
  const Tensor expected = at::tensor({0.0, 0.0, 0.0, 0.0,                       //
                                      0.0, 1.0, 0.0, 1.0,                       //
                                      0.841471, 0.540302, 0.0099998, 0.99995,   //
                                      0.909297, -0.416147, 0.0199987, 0.9998},  //
                                     at::kFloat)
                              .view({4, 4});
  EXPECT_LE((chunk_positions(4, 4) - expected).abs().max().item<double>(), 1e-6);
  EXPECT_EQ(chunk_positions(0, 4).size(0), 0);
  EXPECT_EQ(chunk_positions(1, 4).abs().sum().item<double>(), 0);
}

TEST(WhisperConfigs, AbsentKeysTakeDefaults) {
  const WhisperConfig config =
      whisper_config(parse_json("{}", "config.json", JsonOwner::checkpoint));
  EXPECT_EQ(config.mel_bins, 128);
  EXPECT_EQ(config.mel_frames(), 3000);
  EXPECT_EQ(config.width / config.heads, 64);
}

TEST(WhisperConfigs, RefusalsNameTheKey) {
  const auto refusal = [](const std::string& text) {
    return config_refusal(text, [](const JsonView& json) { whisper_config(json); });
  };
  EXPECT_EQ(refusal(R"({"activation_function": "relu"})"),
            "config.json: activation_function: is 'relu', expected 'gelu'; check config.json");
  EXPECT_EQ(refusal(R"({"activation": "relu"})"),
            "config.json: activation: is 'relu', expected 'gelu'; check config.json");
  EXPECT_EQ(refusal(R"({"scale_embedding": true})"),
            "config.json: scale_embedding: is true, expected false; check config.json");
  EXPECT_EQ(refusal(R"({"d_model": 1281})"),
            "config.json: d_model 1281 is not a multiple of encoder_attention_heads 20; check "
            "d_model and encoder_attention_heads");
  EXPECT_THAT(refusal(R"({"encoder_layers": 0})"),
              testing::StartsWith("config.json: encoder_layers: "));
}

TEST(WhisperEncoder, RefusesAnotherLengthThan30Seconds) {
  const WhisperEncoder tower{WhisperConfig{}};
  EXPECT_THROW(tower(at::zeros({1, 128, 2999})), InternalError);
}

}  // namespace
}  // namespace tarsier
