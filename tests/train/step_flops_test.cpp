#include "tarsier/train/step_flops.h"

#include <ATen/ATen.h>

#include "tarsier/models/registry.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

// Passes when the weights whose path starts with one of `learning` learn.
PassCounts passes(const std::vector<std::string>& learning, bool tied = true) {
  std::vector<WeightPart> weights;
  std::vector<std::string> paths{"visual.blocks.0.fc.weight", "model.embed_tokens.weight",
                                 "model.layers.0.mlp.up_proj.weight",
                                 "model.layers.1.mlp.up_proj.weight", "training_only.probe.weight"};
  if (!tied) paths.push_back("lm_head.weight");
  for (const std::string& path : paths) {
    const bool learns = std::any_of(learning.begin(), learning.end(),
                                    [&](const auto& prefix) { return path.starts_with(prefix); });
    weights.push_back({path, 4, learns ? 4.0 : 0.0});
  }
  return pass_counts(weights);
}

void expect_passes(const PassCounts& passes, double tower, double decoder, double head) {
  EXPECT_EQ(passes.tower, tower);
  EXPECT_EQ(passes.decoder, decoder);
  EXPECT_EQ(passes.head, head);
}

TEST(StepFlops, CountThePassesThatLearningTakes) {
  expect_passes(passes({""}), 3, 3, 3);
  expect_passes(passes({"visual."}), 3, 2, 2);  // gradients pass through a frozen decoder
  expect_passes(passes({"model."}), 1, 3, 3);
  expect_passes(passes({"model.layers."}), 1, 3, 2);
  expect_passes(passes({"model.layers.1."}), 1, 2, 2);  // half of the layers, twice more
  expect_passes(passes({"training_only."}), 1, 1, 1);
  expect_passes(passes({"lm_head."}, false), 1, 1, 2);
}

TEST(StepFlops, AddUpThePartsOfABatch) {
  LoadOptions options;
  options.random_weights = 1;
  const auto model = load_model(test::make_tiny_model(test::fresh_folder("flops")), options);
  Batch batch;
  batch.media.grid = at::tensor({2, 4, 6, 1, 4, 4}, at::kLong).view({2, 3});
  batch.tokens = at::zeros({20}, at::kLong);
  batch.layout = {{8, 20}, {-1, 0}, true};
  batch.target_rows = at::zeros({5}, at::kLong);
  // The tiny model: a tower of 1 block, 16 wide, MLP 32; a decoder of 2 layers, 32 wide, 2 of 4
  // heads for keys, MLP 48.
  const double patches = 64, media_tokens = 16;
  const double patch_values = 3 * 2 * 14 * 14;
  const double attention = 4 * 16 * (48 * 24 + 16 * 16);
  const double tower = patches * 2 * (patch_values * 16 + 16 * 48 + 16 * 16 + 2 * 16 * 32) +
                       attention + media_tokens * 2 * (64 * 64 + 64 * 32);
  const double pairs = 8 * 9 / 2 + 12 * 8 + 12 * 13 / 2;
  const double decoder =
      2 * (20 * 2 * (32 * 32 + 2 * 32 * 16 + 32 * 32 + 3 * 32 * 48) + 4 * 32 * pairs);
  const double head = 5.0 * 2 * 32 * static_cast<double>(model->decoder().config().vocab_size);
  EXPECT_EQ(step_flops(*model, batch, {1, 1, 1}, false, false), tower);
  EXPECT_EQ(step_flops(*model, batch, {3, 2, 4}, true, true), 3 * tower + 2 * decoder + 4 * head);
}

}  // namespace
}  // namespace tarsier
