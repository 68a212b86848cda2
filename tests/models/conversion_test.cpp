#include "tarsier/models/conversion.h"

#include <gmock/gmock.h>

#include "tarsier/checkpoint/manifest.h"
#include "tarsier/models/adapter_file.h"
#include "tarsier/models/registry.h"
#include "tests/models/pickled_model.h"

namespace tarsier {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string refusal(const fs::path& from, const fs::path& to,
                    const ConversionOptions& options = {}) {
  return thrown_by([&] { convert_weights(from, to, options); });
}

void expect_same_weights(const fs::path& one, const fs::path& other) {
  const Checkpoint a = Checkpoint::open(one), b = Checkpoint::open(other);
  ASSERT_EQ(a.tensors().size(), b.tensors().size());
  for (const auto& [name, view] : a.tensors()) {
    ASSERT_NE(b.find(name), nullptr) << name;
    EXPECT_EQ(view.dtype, b.find(name)->dtype) << name;
    EXPECT_EQ(view.shape, b.find(name)->shape) << name;
    EXPECT_TRUE(std::ranges::equal(view.bytes, b.find(name)->bytes)) << name;
  }
}

TEST(Conversion, GivesTheSameModel) {
  const fs::path in = without_weights("bf16", "in"), out = empty_folder("out") / "model";
  pickled_fixture("bf16", "module.").write(in / "pytorch_model.bin");
  const ConversionReport report = *convert_weights(in, out, {});
  EXPECT_THAT(report.files, ElementsAre("model.safetensors"));
  EXPECT_EQ(report.merged, 0);
  expect_same_weights(out, fixture_model("bf16"));
  EXPECT_TRUE(verify_directory(out).empty());
  EXPECT_EQ(load_model(out)->info().family, "qwen2_vl");
}

TEST(Conversion, WritesShards) {
  const fs::path in = without_weights("untied", "in"), out = empty_folder("out") / "model";
  pickled_fixture("untied").write(in / "weights.pt");
  ConversionOptions options;
  options.max_shard_bytes = 70'000;
  const ConversionReport report = *convert_weights(in / "weights.pt", out, options);
  EXPECT_GT(report.files.size(), 2u);
  EXPECT_THAT(report.files[0], ::testing::StartsWith("model-00001-of-0000"));
  const Checkpoint written = Checkpoint::open(out);
  EXPECT_EQ(written.files(), report.files);
  EXPECT_EQ(written.total_bytes(), report.bytes);
  EXPECT_TRUE(written.warnings().empty());
  expect_same_weights(out, fixture_model("untied"));
  load_model(out);
  expect_same_weights(fixture_model("deep_sharded"),  // and back, from an index of safetensors
                      [&] {
                        const fs::path one = empty_folder("one") / "model";
                        convert_weights(fixture_model("deep_sharded"), one, {});
                        EXPECT_TRUE(fs::exists(one / "model.safetensors"));
                        return one;
                      }());
}

TEST(Conversion, CastsFloatingPointWeights) {
  const fs::path in = empty_folder("in"), out = empty_folder("out") / "model";
  Pickled pickled;
  pickled.add("w", at::tensor({1.00390625F, -3.0F, 1e-9F}));
  pickled.add("ids", {2}, std::string(16, '\1'), "LongStorage");
  pickled.write(in / "m.bin");
  ConversionOptions options;
  options.dtype = at::kBFloat16;
  convert_weights(in / "m.bin", out, options);
  const Checkpoint written = Checkpoint::open(out);
  EXPECT_EQ(written.find("ids")->dtype, DType::i64);
  EXPECT_TRUE(at::equal(tensor_of(written, "w", at::kBFloat16),
                        at::tensor({1.00390625F, -3.0F, 1e-9F}).to(at::kBFloat16)));
}

TEST(Conversion, RefusesValuesTheTypeCannotHold) {
  const fs::path in = empty_folder("in"), parent = empty_folder("out");
  Pickled pickled;
  pickled.add("w", at::tensor({1.0F, -1e6F}));
  pickled.write(in / "m.bin");
  ConversionOptions options;
  options.dtype = at::kHalf;
  EXPECT_EQ(refusal(in / "m.bin", parent / "model", options),
            "m.bin: w: has values up to 1e+06, which F16 cannot hold; pass --dtype bf16 or f32");
  EXPECT_TRUE(fs::is_empty(parent));  // nothing is left behind
}

TEST(Conversion, LeavesOutATiedHead) {
  const fs::path in = without_weights("bf16", "in"), out = empty_folder("out") / "model";
  Pickled pickled = pickled_fixture("bf16");
  pickled.alias("lm_head.weight", "model.embed_tokens.weight");
  pickled.write(in / "pytorch_model.bin");
  EXPECT_THAT(convert_weights(in, out, {})->left_out, ElementsAre("lm_head.weight"));
  load_model(out);
}

TEST(Conversion, MergesTheLoraOfATrainingCheckpoint) {
  const fs::path in = empty_folder("in"), out = empty_folder("out") / "model";
  const std::string q = "module.base_model.model.model.layers.0.self_attn.q_proj.";
  const Tensor weight = at::randn({6, 4}), a = at::randn({2, 4}), b = at::randn({6, 2});
  Pickled all;
  all.add(q + "base_layer.weight", weight);
  all.add(q + "base_layer.bias", at::ones({6}));
  all.add(q + "lora_A.default.weight", at::zeros({2, 4}));
  all.add(q + "lora_B.default.weight", at::zeros({6, 2}));
  all.add("module.base_model.model.image_newline", at::ones({4}));
  all.write(in / "all_parameters.bin");
  Pickled step;
  step.add(q + "lora_A.default.weight", a);
  step.add(q + "lora_B.default.weight", b);
  step.write(in / "checkpoint-200.bin");
  EXPECT_EQ(refusal(in, out),
            "checkpoint-200.bin: model.layers.0.self_attn.q_proj: has a LoRA change, and no file "
            "says its alpha; pass --lora-alpha; video-SALMONN 2 trains with 256");
  ConversionOptions options;
  options.lora_alpha = 3;
  EXPECT_EQ(convert_weights(in, out, options)->merged, 1);
  const Checkpoint written = Checkpoint::open(out);
  EXPECT_EQ(written.tensors().size(), 3u);
  const Tensor merged = tensor_of(written, "model.layers.0.self_attn.q_proj.weight", at::kFloat);
  EXPECT_TRUE(at::allclose(merged, weight + at::mm(b, a) * 1.5, 1e-5, 1e-6));
  EXPECT_NE(written.find("model.layers.0.self_attn.q_proj.bias"), nullptr);
  EXPECT_NE(written.find("image_newline"), nullptr);
}

TEST(Conversion, RefusesWhatItCannotHonour) {
  const fs::path in = empty_folder("in"), out = empty_folder("out");
  Pickled pickled;
  pickled.add("w", at::ones({2, 2}));
  pickled.write(in / "m.bin");
  EXPECT_EQ(refusal(in / "m.bin", out),
            out.string() + ": is there already; remove it, or write to another folder");
  ConversionOptions options;
  options.lora_alpha = 2;
  EXPECT_THAT(refusal(in / "m.bin", out / "model", options), HasSubstr("--lora-alpha: no LoRA"));
  EXPECT_THAT(refusal(in / "absent.bin", out / "model"), HasSubstr("does not exist"));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(convert_weights(in / "m.bin", out / "model", {}, stop.get_token()).has_value());
  EXPECT_TRUE(fs::is_empty(out));
}

}  // namespace
}  // namespace tarsier
