#include "tarsier/cli/cost.h"

#include <gtest/gtest.h>

#include "tarsier/engine/aten_backend.h"
#include "tarsier/models/flops.h"

namespace tarsier {
namespace {

DecoderConfig seven_billion() {
  DecoderConfig config;
  config.vocab_size = 152064;
  config.hidden_size = 3584;
  config.intermediate_size = 18944;
  config.layers = 28;
  config.heads = 28;
  config.kv_heads = 4;
  config.head_dim = 128;
  return config;
}

// models-tarsier.md 8, the row "16 frames (default)".
TEST(Cost, OfTarsier2) {
  const ClipFlops flops =
      clip_flops(seven_billion(), vision_flops(Qwen2VlVitConfig(), {16, 36, 64}), 9216 + 27);
  EXPECT_NEAR(flops.vision / 1e12, 61.2, 0.1);
  EXPECT_NEAR(flops.prefill / 1e12, 137.8, 0.1);
  EXPECT_NEAR(flops.per_new_token / 1e9, 14.1 + 3.7, 0.1);
  EXPECT_EQ(cache_bytes_per_token(seven_billion(), at::kBFloat16), 57344);
}

TEST(Cost, OfOneImage) {
  const ClipFlops flops =
      clip_flops(seven_billion(), vision_flops(Qwen2VlVitConfig(), {1, 36, 64}), 576 + 27);
  EXPECT_NEAR(flops.vision / 1e12, 3.8, 0.1);
  EXPECT_NEAR(flops.prefill / 1e12, 8.0, 0.1);
}

TEST(Cost, ActivationsAreBoundedByChunks) {
  const Qwen2VlVitConfig vision;
  const auto of = [&](std::int64_t slices) {
    return vision_activation_bytes(vision, {slices, 36, 64}, 2);
  };
  EXPECT_GT(of(2), of(1));
  EXPECT_EQ(of(16) - of(8), 8 * 36 * 64 * 1280 * 2);  // beyond a chunk, only the outputs grow
  EXPECT_EQ(vision_activation_bytes(vision, {}, 2), 0);
  EXPECT_GT(prefill_activation_bytes(seven_billion(), 9000, 2),
            prefill_activation_bytes(seven_billion(), 500, 2));
}

}  // namespace
}  // namespace tarsier
