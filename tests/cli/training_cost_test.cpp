#include "tarsier/cli/training_cost.h"

#include <gtest/gtest.h>

namespace tarsier {
namespace {

// Tarsier2-7B: 28 layers of 3584 behind a tower of 32 blocks of 1280.
TrainingShape seven_billion() {
  TrainingShape shape;
  shape.decoder.vocab_size = 152064;
  shape.decoder.hidden_size = 3584;
  shape.decoder.intermediate_size = 18944;
  shape.decoder.layers = 28;
  shape.decoder.heads = 28;
  shape.decoder.kv_heads = 4;
  shape.decoder.head_dim = 128;
  shape.parameters = 8'291'375'616;
  shape.patches = 16 * 36 * 64;
  shape.prompt_tokens = 9216 + 27;
  shape.answer_tokens = shape.target_tokens = 257;
  return shape;
}

// training.md 12: 16 bytes a parameter with 16-bit weights and gradients, and the sum of gradients
// in f32 that our optimizer keeps.
TEST(TrainingCost, OfWhatDoesNotDependOnTheClip) {
  TrainingShape shape = seven_billion();
  const std::int64_t n = shape.parameters;
  TrainingMemory memory = training_memory(shape);
  EXPECT_EQ(memory.weights, 4 * n);
  EXPECT_EQ(memory.master, 0);
  EXPECT_EQ(memory.moments, 8 * n);
  EXPECT_EQ(memory.averages, 0);
  EXPECT_EQ(memory.gradients, 4 * n);
  shape.element_bytes = 2;
  shape.averages = true;
  memory = training_memory(shape);
  EXPECT_EQ(memory.weights + memory.master + memory.moments, 14 * n);
  EXPECT_EQ(memory.averages, 4 * n);
  EXPECT_EQ(memory.gradients, 6 * n);
}

// training.md 12: 6 h + 2 h_kv + 3 f values a token and layer.
TEST(TrainingCost, OfActivations) {
  TrainingShape shape = seven_billion();
  const std::int64_t tokens = 9500, values = 6 * 3584 + 2 * 512 + 3 * 18944;
  EXPECT_EQ(training_memory(shape).decoder_layer, tokens * 4 * (values + 28 + 2));
  const std::int64_t patches = 36864;
  EXPECT_EQ(training_memory(shape).vision_block, patches * 4 * 18 * 1280);
  const std::int64_t whole = training_memory(shape).activations;
  shape.recompute = true;
  const TrainingMemory inputs = training_memory(shape);
  EXPECT_EQ(inputs.decoder_layer, tokens * 4 * 3584);
  EXPECT_EQ(inputs.vision_block, 36864 * 4 * 1280);
  // 28 layers and 32 blocks keep their inputs alone.
  EXPECT_EQ(whole - inputs.activations,
            28 * tokens * 4 * (values + 30 - 3584) + 32 * patches * 4 * 17 * 1280);
}

TEST(TrainingCost, OfLogitsIsBoundedByTheChunk) {
  TrainingShape shape = seven_billion();
  EXPECT_EQ(training_memory(shape).logits, std::int64_t{257} * 152064 * 8);
  shape.logit_chunk = 64;
  EXPECT_EQ(training_memory(shape).logits, std::int64_t{64} * 152064 * 8);
}

TEST(TrainingCost, EachSettingCountsAtThePeak) {
  const std::int64_t least = training_memory(seven_billion()).peak;
  const auto peak_with = [](const auto& change) {
    TrainingShape shape = seven_billion();
    change(shape);
    return training_memory(shape).peak;
  };
  const std::int64_t n = seven_billion().parameters;
  EXPECT_GT(least, 12 * n);
  EXPECT_EQ(peak_with([](TrainingShape& s) { s.averages = true; }), least + 4 * n);
  EXPECT_LT(peak_with([](TrainingShape& s) { s.recompute = true; }), least);
  EXPECT_GT(peak_with([](TrainingShape& s) { s.clips = 2; }), least);
  // Every micro-batch after the first finds a sum of gradients, and pixels wait for each.
  EXPECT_GE(peak_with([](TrainingShape& s) { s.accumulate = 2; }), least + 4 * n);
  EXPECT_GT(peak_with([](TrainingShape& s) { s.accumulate = s.workers = 2; }), least);
  EXPECT_GE(peak_with([](TrainingShape& s) { s.rule = UpdateRule::muon; }), least);
  EXPECT_LT(peak_with([](TrainingShape& s) { s.element_bytes = 2; }), least + 2 * n);
  EXPECT_EQ(peak_with([](TrainingShape& s) { s.workers = 2; }),
            least);  // one micro-batch, one worker
}

TEST(TrainingCost, ArithmeticIsThreeForwardsOrFour) {
  TrainingShape shape = seven_billion();
  const double head = 3.0 * 2 * 257 * 152064.0 * 3584;
  EXPECT_DOUBLE_EQ(training_flops(shape, 1e12, 2e12), 9e12 + head);
  shape.recompute = true;
  shape.clips = 2;
  EXPECT_DOUBLE_EQ(training_flops(shape, 1e12, 2e12), 2 * (12e12 + head));
}

}  // namespace
}  // namespace tarsier
