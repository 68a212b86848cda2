#include "tarsier/checkpoint/rename.h"

#include <gtest/gtest.h>

namespace tarsier {
namespace {

TEST(Rename, EveryQwen2VlLayoutHasOneName) {
  const auto ours = [](std::string_view name) {
    return apply_renames(kQwen2VlNames, name).value_or("none");
  };
  for (const char* prefix : {"visual.", "model.visual.", "vision_tower.", "model.vision_tower."}) {
    EXPECT_EQ(ours(std::string(prefix) + "blocks.0.norm1.weight"), "visual.blocks.0.norm1.weight")
        << prefix;
  }
  for (const char* prefix : {"model.", "model.language_model.", "language_model.model."}) {
    EXPECT_EQ(ours(std::string(prefix) + "layers.3.mlp.up_proj.weight"),
              "model.layers.3.mlp.up_proj.weight")
        << prefix;
  }
  EXPECT_EQ(ours("lm_head.weight"), "lm_head.weight");
  EXPECT_EQ(ours("language_model.lm_head.weight"), "lm_head.weight");
  EXPECT_EQ(ours("transformer.h.0.weight"), "none");
  EXPECT_EQ(ours("visual"), "none");
  EXPECT_EQ(ours(""), "none");
}

TEST(Rename, OneLayoutThereAndBack) {
  for (const char* name : {"vision_tower.merger.ln_q.bias", "language_model.model.norm.weight",
                           "language_model.lm_head.weight"}) {
    const auto ours = apply_renames(kPublishedTarsier2Names, name);
    ASSERT_TRUE(ours.has_value());
    EXPECT_EQ(invert_renames(kPublishedTarsier2Names, *ours), name);
  }
  for (const char* name : {"visual.merger.ln_q.bias", "model.norm.weight", "lm_head.weight"}) {
    EXPECT_EQ(
        invert_renames(kPublishedQwen2VlNames, apply_renames(kPublishedQwen2VlNames, name).value()),
        name);
  }
  EXPECT_EQ(invert_renames(kPublishedTarsier2Names, "projector.weight"), std::nullopt);
}

TEST(Rename, IgnoresBuffersThatNothingReads) {
  EXPECT_TRUE(is_ignored_tensor("model.layers.0.self_attn.rotary_emb.inv_freq"));
  EXPECT_TRUE(is_ignored_tensor("vision_tower.vision_model.embeddings.position_ids"));
  EXPECT_FALSE(is_ignored_tensor("model.embed_tokens.weight"));
}

}  // namespace
}  // namespace tarsier
