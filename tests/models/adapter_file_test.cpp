#include "tarsier/models/adapter_file.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tarsier/models/adapters.h"
#include "tarsier/models/registry.h"
#include "tarsier/models/stored_tensor.h"
#include "tests/models/pickled_model.h"

namespace tarsier {
namespace {

using namespace testing;
using ::testing::HasSubstr;

const fs::path kFixtures = fs::path(TARSIER_SOURCE_DIR) / "tests" / "fixtures" / "adapters";
const std::string kLayer0 = "base_model.model.model.language_model.layers.0.";

nlohmann::json config_of(const std::string& fixture) {
  std::ifstream stream(kFixtures / fixture / kAdapterConfigName);
  return nlohmann::json::parse(stream);
}

// The message of a copy of `qkv` with another setting.
std::string refusal_with(const std::string& key, const nlohmann::json& value) {
  const fs::path folder = empty_folder("adapter");
  nlohmann::json config = config_of("qkv");
  config[key] = value;
  write_file(folder / kAdapterConfigName, config.dump());
  fs::copy_file(kFixtures / "qkv" / kAdapterWeightsName, folder / kAdapterWeightsName);
  return thrown_by([&] { read_adapter(folder); });
}

// The same with a tensor added, replaced, or (undefined) taken away.
std::string refusal_with_tensor(const std::string& name, const Tensor& tensor) {
  const fs::path folder = empty_folder("adapter");
  fs::copy_file(kFixtures / "qkv" / kAdapterConfigName, folder / kAdapterConfigName);
  const SafetensorsFile file(kFixtures / "qkv" / kAdapterWeightsName);
  std::vector<TensorView> views;
  for (const auto& [other, view] : file.tensors()) {
    if (other != name) views.push_back(view);
  }
  if (tensor.defined()) views.push_back(view_of(name, tensor));
  write_safetensors(folder / kAdapterWeightsName, views);
  return thrown_by([&] { read_adapter(folder); });
}

TEST(AdapterFile, ReadsRanksAndScales) {
  const Adapter qkv = read_adapter(kFixtures / "qkv");
  EXPECT_EQ(qkv.deltas.size(), 6u);  // 3 a layer
  EXPECT_TRUE(qkv.replaced.empty());
  EXPECT_EQ(qkv.config.base_model(), "untied");
  for (const auto& [module, delta] : qkv.deltas) {
    EXPECT_EQ(delta.a.size(0), 4);
    EXPECT_EQ(delta.scale, 2);
  }
  const Adapter patterns = read_adapter(kFixtures / "patterns");
  const std::string layer = "model.language_model.layers.1.";
  EXPECT_EQ(patterns.deltas.size(), 8u);
  EXPECT_EQ(patterns.replaced.size(), 6u);
  EXPECT_EQ(patterns.deltas.at(layer + "self_attn.q_proj").a.size(0), 5);
  EXPECT_DOUBLE_EQ(patterns.deltas.at(layer + "self_attn.q_proj").scale, 3 / std::sqrt(5.0));
  EXPECT_DOUBLE_EQ(patterns.deltas.at(layer + "mlp.up_proj").scale, 7 / std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(patterns.deltas.at(layer + "mlp.down_proj").scale, 3 / std::sqrt(2.0));
}

TEST(AdapterFile, WritesWhatItRead) {
  for (const char* name : {"qkv", "patterns"}) {
    const fs::path out = empty_folder("out") / "adapter";
    write_adapter(read_adapter(kFixtures / name), out);
    const SafetensorsFile before(kFixtures / name / kAdapterWeightsName);
    const SafetensorsFile after(out / kAdapterWeightsName);
    ASSERT_EQ(after.tensors().size(), before.tensors().size());
    for (const auto& [tensor, view] : before.tensors())
      EXPECT_TRUE(std::ranges::equal(after.tensors().at(tensor).bytes, view.bytes)) << tensor;
    std::ifstream stream(out / kAdapterConfigName);
    EXPECT_EQ(nlohmann::json::parse(stream), config_of(name));
  }
}

TEST(AdapterFile, RefusesOtherKindsOfAdapter) {
  EXPECT_EQ(refusal_with("peft_type", "IA3"),
            "adapter_config.json: peft_type: 'IA3' is not supported; supported: LORA");
  EXPECT_THAT(refusal_with("use_dora", true),
              HasSubstr("adapter_config.json: use_dora: is a setting that is not supported; "));
  EXPECT_THAT(refusal_with("layer_replication", {{0, 1}}), HasSubstr("layer_replication: is a"));
  EXPECT_THAT(refusal_with("use_the_force", false),
              HasSubstr("use_the_force: is a setting that is not known"));
  EXPECT_THAT(refusal_with("bias", "lora_only"), HasSubstr("bias: trained biases are not supp"));
  EXPECT_THAT(refusal_with("init_lora_weights", "pissa"), HasSubstr("'pissa' is not supported"));
  EXPECT_THAT(refusal_with("r", 0), HasSubstr("adapter_config.json: r: "));
  EXPECT_THAT(refusal_with("target_modules", "("), HasSubstr("is not a regular expression"));
  EXPECT_EQ(refusal_with("use_rslora", true), "nothing thrown");
  EXPECT_EQ(refusal_with("target_modules", "all-linear"), "nothing thrown");
}

TEST(AdapterFile, RefusesWeightsOfAnotherConfig) {
  EXPECT_THAT(refusal_with("r", 8), HasSubstr("but rank 8 by adapter_config.json"));
  EXPECT_THAT(refusal_with("target_modules", {"q_proj", "k_proj"}),
              HasSubstr(".v_proj: is none of target_modules in adapter_config.json"));
  EXPECT_THAT(refusal_with("exclude_modules", {"v_proj"}), HasSubstr("is none of target_modules"));
  EXPECT_THAT(refusal_with("layers_to_transform", {0}),
              HasSubstr("layers.1.self_attn.k_proj: is none of target_modules"));
  const std::string q = kLayer0 + "self_attn.q_proj.";
  EXPECT_THAT(refusal_with_tensor(q + "lora_B.weight", {}), HasSubstr("q_proj: has no lora_B"));
  EXPECT_THAT(refusal_with_tensor(q + "lora_magnitude_vector", at::ones({4})),
              HasSubstr("is of a kind of LoRA that is not supported"));
  EXPECT_THAT(refusal_with_tensor(q + "lora_A.weight", at::ones({2, 2, 2})),
              HasSubstr("is no matrix"));
  EXPECT_THAT(
      refusal_with_tensor("base_model.model.model.visual.merger.ln_q.weight", at::ones({4})),
      HasSubstr("belongs to no module that adapter_config.json names"));
  EXPECT_THAT(refusal_with_tensor("q_proj.lora_A.weight", at::ones({2, 2})),
              HasSubstr("does not begin with base_model.model."));
  EXPECT_THAT(thrown_by([] { read_adapter("/no/such"); }), HasSubstr("has no adapter_config.json"));
}

TEST(AdapterFile, ALayerLeftOutIsMissing) {
  const fs::path folder = empty_folder("adapter");
  fs::copy_file(kFixtures / "qkv" / kAdapterConfigName, folder / kAdapterConfigName);
  const SafetensorsFile file(kFixtures / "qkv" / kAdapterWeightsName);
  std::vector<TensorView> views;
  for (const auto& [name, view] : file.tensors()) {
    if (name.find("layers.0.self_attn.v_proj") == std::string::npos) views.push_back(view);
  }
  write_safetensors(folder / kAdapterWeightsName, views);
  EXPECT_THAT(thrown_by([&] { read_adapter(folder); }),
              HasSubstr("layers.*.self_attn.v_proj: is missing for layer 0"));
}

TEST(Adapters, RefuseAnotherBase) {
  const auto load_on = [](const char* model_name) {
    const auto model = load_model(fixture_model(model_name));
    return thrown_by([&] { Adapters(*model).load("a", kFixtures / "qkv"); });
  };
  EXPECT_EQ(load_on("untied"), "nothing thrown");
  EXPECT_THAT(load_on("bf16"),
              ::testing::MatchesRegex("adapter_model.safetensors: model.language_model.layers.0.*: "
                                      "has lora_A .* for a layer with the weight .*; the adapter "
                                      "belongs to another base model"));
}

}  // namespace
}  // namespace tarsier
