#include "tarsier/models/towers/clip_vit.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/nn/activation.h"
#include "tests/models/tower_fixture.h"

namespace tarsier {
namespace {

ClipVit tower_of(const TowerFixture& fixture, std::int64_t feature_layer = -2) {
  ClipVit tower(clip_vit_config(fixture.config, feature_layer));
  fixture.fill(tower, tower.unused_names());
  return tower;
}

/// The feature that transformers' hidden_states[layer] is: without the class token.
Tensor feature_of(const TowerFixture& fixture, const ClipVitConfig& config, std::int64_t layer) {
  const Tensor& state = fixture.stages.at("block." + std::to_string(layer));
  return config.kind == ClipVitConfig::Kind::clip ? state.slice(1, 1) : state;
}

class ClipVitFixtures : public testing::TestWithParam<std::string> {};

TEST_P(ClipVitFixtures, EveryStage) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture(GetParam());
  const std::int64_t layers = fixture.blocks() - 1;
  const ClipVit tower = tower_of(fixture, -1);
  std::int64_t seen = 0;
  tower(fixture.inputs.at("pixels"), [&](std::int64_t block, const Tensor& x) {
    fixture.expect("block." + std::to_string(block), x);
    ++seen;
  });
  EXPECT_EQ(seen, layers + 1);
}

// Trap 5, and CLIP's: -2 of layers + 1 hidden states is the output of the last layer but one, raw.
TEST_P(ClipVitFixtures, FeatureIsTheOutputOfItsLayer) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture(GetParam());
  const std::int64_t layers = fixture.blocks() - 1;
  for (std::int64_t layer = -layers - 1; layer <= layers; ++layer) {
    const ClipVit tower = tower_of(fixture, layer);
    const Tensor feature = tower(fixture.inputs.at("pixels"));
    const Tensor expected =
        feature_of(fixture, tower.config(), layer < 0 ? layers + 1 + layer : layer);
    ASSERT_EQ(feature.sizes(), expected.sizes()) << layer;
    EXPECT_LE((feature - expected).abs().max().item<double>(), 1e-5) << layer;
  }
}

TEST_P(ClipVitFixtures, RecomputeGivesTheSameGradients) {
  const TowerFixture fixture(GetParam());
  ClipVit tower = tower_of(fixture);
  std::vector<Tensor> inputs = learning_weights(tower);
  // A key's bias moves all scores of a query alike.
  const std::vector<std::string> names = names_of(tower);
  for (std::size_t i = names.size(); i-- > 0;) {
    if (names[i].ends_with("k_proj.bias"))
      inputs.erase(inputs.begin() + static_cast<std::ptrdiff_t>(i));
  }
  inputs.push_back(fixture.inputs.at("pixels").clone().requires_grad_(true));
  const std::vector<Tensor> plain = gradients_of(tower(inputs.back()), inputs);
  tower.set_recompute(true);
  expect_same_gradients(plain, gradients_of(tower(inputs.back()), inputs));
}

TEST_P(ClipVitFixtures, ChunksOfFramesAreTheWhole) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture(GetParam());
  const ClipVit tower = tower_of(fixture);
  const std::int64_t repeats = 2 * 8192 / (3 * tower.config().tokens()) + 1;
  const Tensor pixels = fixture.inputs.at("pixels").repeat({repeats, 1, 1, 1});
  const Tensor whole = tower(pixels, [](std::int64_t, const Tensor&) {});
  EXPECT_LE((tower(pixels) - whole).abs().max().item<double>(), 1e-5);
  EXPECT_EQ(tower(pixels.slice(0, 0, 0)).sizes(),
            (std::vector<std::int64_t>{0, tower.config().patches(), tower.config().width}));
}

INSTANTIATE_TEST_SUITE_P(Towers, ClipVitFixtures,
                         testing::Values("clip", "clip_one_head", "siglip", "siglip_wide"),
                         [](const auto& each) { return each.param; });

TEST(ClipVit, SixteenBitsStayNearF32) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture("clip");
  ClipVit tower = tower_of(fixture);
  const Tensor whole = tower(fixture.inputs.at("pixels"));
  narrow(tower);
  expect_near_in_16_bits(tower(fixture.inputs.at("pixels")), whole);
}

// Check sums of models-tarsier.md 2.9 and models-video-salmonn-2.md 1.2.
TEST(ClipVit, PublishedSizes) {
  ClipVitConfig config;
  config.feature_layer = -1;  // all 24 layers
  ClipVit clip(config);
  EXPECT_EQ(parameters_of(clip) + 2 * 1024, 303'507'456);  // the unused norm is counted there
  config = ClipVitConfig::siglip_so400m();
  ClipVit siglip(config);
  EXPECT_EQ(parameters_of(siglip) + 2 * 1152, 397'747'744);
  EXPECT_EQ(config.side(), 27);
  EXPECT_EQ(config.patches(), 729);
  EXPECT_EQ(config.used_layers(), 26);
  EXPECT_EQ(config.width / config.heads, 72);
  EXPECT_NEAR(flops(config, 1) / 1e12, 0.64, 0.005);
}

TEST(ClipVit, NamesWhatItDoesNotRead) {
  EXPECT_THAT(ClipVit(ClipVitConfig{}).unused_names(),
              testing::ElementsAre("post_layernorm.", "encoder.layers.23."));
  EXPECT_THAT(ClipVit(ClipVitConfig::siglip_so400m()).unused_names(),
              testing::ElementsAre("post_layernorm.", "head.", "encoder.layers.26."));
}

// Trap 5: 384 pixels are 27 patches of 14, the last 6 rows and columns are not seen.
TEST(ClipVit, PixelsBehindTheLastWholePatchAreNotSeen) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture("siglip");
  const ClipVit tower = tower_of(fixture);
  Tensor pixels = fixture.inputs.at("pixels").clone();
  const Tensor before = tower(pixels);
  pixels.slice(2, 21).fill_(9);
  pixels.slice(3, 21).fill_(9);
  EXPECT_TRUE(at::equal(tower(pixels), before));
  pixels.slice(2, 20).fill_(9);
  EXPECT_FALSE(at::equal(tower(pixels), before));
}

TEST(ClipVit, FramesAreApart) {
  const at::NoGradGuard no_gradients;
  const TowerFixture fixture("clip");
  const ClipVit tower = tower_of(fixture);
  Tensor pixels = fixture.inputs.at("pixels").clone();
  const Tensor before = tower(pixels);
  pixels[1].fill_(0.5);
  const Tensor after = tower(pixels);
  EXPECT_TRUE(at::equal(after[0], before[0]));
  EXPECT_FALSE(at::equal(after[1], before[1]));
  EXPECT_TRUE(at::equal(after[2], before[2]));
}

// Trap 11.
TEST(Activation, FlavoursOfGelu) {
  const Tensor x = at::full({1}, -0.5);
  EXPECT_NEAR(tanh_gelu(x).item<double>(), -0.154286, 5e-7);
  EXPECT_NEAR(exact_gelu(x).item<double>(), -0.154269, 5e-7);
  EXPECT_NEAR(quick_gelu(x).item<double>(), -0.5 / (1 + std::exp(0.851)), 5e-7);
}

TEST(ClipVitConfigs, AbsentKeysTakeDefaults) {
  const ClipVitConfig clip =
      clip_vit_config(parse_json("{}", "config.json", JsonOwner::checkpoint));
  EXPECT_EQ(clip.kind, ClipVitConfig::Kind::clip);
  EXPECT_EQ(clip.width, 1024);
  EXPECT_EQ(clip.tokens(), 577);
  EXPECT_EQ(clip.used_layers(), 23);
  EXPECT_EQ(clip.epsilon, 1e-5);
  const ClipVitConfig siglip = clip_vit_config(
      parse_json(R"({"model_type": "siglip_vision_model"})", "config.json", JsonOwner::checkpoint));
  EXPECT_EQ(siglip.kind, ClipVitConfig::Kind::siglip);
  EXPECT_EQ(siglip.intermediate, 4304);
  EXPECT_EQ(siglip.epsilon, 1e-6);
}

TEST(ClipVitConfigs, RefusalsNameTheKey) {
  const auto refusal = [](const std::string& text, std::int64_t layer = -2) {
    return config_refusal(text, [&](const JsonView& json) { clip_vit_config(json, layer); });
  };
  EXPECT_EQ(refusal(R"({"model_type": "vit"})"),
            "config.json: model_type: is 'vit', expected clip_vision_model or "
            "siglip_vision_model; check config.json");
  EXPECT_EQ(refusal(R"({"hidden_act": "gelu"})"),
            "config.json: hidden_act: is 'gelu', expected 'quick_gelu'; check config.json");
  EXPECT_EQ(refusal(R"({"hidden_size": 1000})"),
            "config.json: hidden_size 1000 is not a multiple of num_attention_heads 16; check "
            "hidden_size and num_attention_heads");
  EXPECT_EQ(refusal(R"({"image_size": 13})"),
            "config.json: image_size 13 is smaller than patch_size 14; check image_size and "
            "patch_size");
  EXPECT_EQ(refusal(R"({"num_hidden_layers": 2})", -4),
            "config.json: num_hidden_layers 2 gives 3 hidden states, the feature is number -4; "
            "check num_hidden_layers and vision_feature_layer");
  EXPECT_THAT(refusal(R"({"num_hidden_layers": "many"})"),
              testing::StartsWith("config.json: num_hidden_layers: is a string"));
  EXPECT_THAT(refusal(R"({"patch_size": 0})"), testing::StartsWith("config.json: patch_size: "));
}

TEST(ClipVit, RefusesPicturesOfAnotherSize) {
  const ClipVit tower{ClipVitConfig{}};
  EXPECT_THROW(tower(at::zeros({1, 3, 336, 335})), InternalError);
}

}  // namespace
}  // namespace tarsier
