#include "tarsier/train/compute_choice.h"

#include <gtest/gtest.h>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

MeasureSpeed speeds(double f32, double bf16) {
  return [=](at::ScalarType type) { return type == at::kBFloat16 ? bf16 : f32; };
}

double must_not_measure(at::ScalarType) {
  ADD_FAILURE() << "nothing is to be measured";
  return 1;
}

TEST(ComputeChoice, TakesTheRecipesWord) {
  Recipe recipe;
  recipe.compute = "bf16";
  EXPECT_EQ(choose_compute(recipe, std::nullopt, false, must_not_measure).type, at::kBFloat16);
  recipe.compute = "f32";
  EXPECT_EQ(choose_compute(recipe, std::nullopt, true, must_not_measure).type, at::kFloat);
}

TEST(ComputeChoice, MixedIsF32WithProductsInBf16) {
  Recipe recipe;
  recipe.compute = "mixed";
  const ComputeChoice choice = choose_compute(recipe, "f32", false, must_not_measure);
  EXPECT_EQ(choice.type, at::kFloat);
  EXPECT_EQ(choice.products, LinearProducts::bf16);
  EXPECT_EQ(choice.name(), "mixed");
  recipe.compute = "f32";
  EXPECT_EQ(choose_compute(recipe, std::nullopt, true, must_not_measure).name(), "f32");
}

TEST(ComputeChoice, AutoTakesTheFaster) {
  const Recipe recipe;
  const ComputeChoice slow = choose_compute(recipe, std::nullopt, true, speeds(90e9, 20e9));
  EXPECT_EQ(slow.type, at::kFloat);
  EXPECT_EQ(slow.reason, "measured: 90.0 GFLOP/s in f32, 20.0 in bf16");
  EXPECT_EQ(choose_compute(recipe, std::nullopt, true, speeds(90e9, 200e9)).type, at::kBFloat16);
  EXPECT_EQ(choose_compute(recipe, std::nullopt, false, must_not_measure).type, at::kFloat);
}

TEST(ComputeChoice, AutoKeepsWhatTheCheckpointSays) {
  const Recipe recipe;
  const ComputeChoice kept = choose_compute(recipe, "bf16", true, must_not_measure);
  EXPECT_EQ(kept.type, at::kBFloat16);
  EXPECT_EQ(kept.reason, "kept from the checkpoint");
  EXPECT_EQ(choose_compute(recipe, "f32", true, must_not_measure).type, at::kFloat);
  try {
    choose_compute(recipe, "bf16", false, must_not_measure);
    FAIL() << "a CPU without bf16 must not go on in it";
  } catch (const ResourceError& error) {
    EXPECT_EQ(
        std::string(error.what()),
        "compute: auto: the run began in bf16, which this CPU does not multiply itself; go on "
        "where the CPU has avx512_bf16, or start afresh with compute=f32 in another --out");
  }
}

}  // namespace
}  // namespace tarsier
