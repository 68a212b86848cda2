// video-SALMONN 2+'s released form: a base after audio alignment and an adapter with the merger and
// the ear's last parts replaced (models-video-salmonn-2.md 1.1, 2.13).

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/rename.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/engine/aten_backend.h"
#include "tarsier/models/adapters.h"
#include "tarsier/models/registry.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kRank = 3;
constexpr double kAlpha = 6;  // scale 2, as released

fs::path scratch(const std::string& name) {
  const fs::path folder = fs::path(testing::TempDir()) / ("salmonn2_plus_adapter_" + name);
  fs::remove_all(folder);
  return folder;
}

std::shared_ptr<VideoLanguageModel> load(const fs::path& folder) {
  LoadOptions options;
  options.dtype = at::kFloat;
  options.trainable = true;  // memory of its own, for weights that are changed here
  return load_model(folder, options);
}

bool is_attention(const std::string& path) {
  const auto ends = [&](const char* end) { return path.ends_with(end); };
  return path.starts_with("model.layers.") &&
         (ends("q_proj.weight") || ends("k_proj.weight") || ends("v_proj.weight"));
}

bool is_replaced(const std::string& path) {
  return path.starts_with("visual.merger.") || path.starts_with("audio.qformer.") ||
         path.starts_with("audio.audio_proj.");
}

void write(const fs::path& file, const std::map<std::string, Tensor>& tensors) {
  std::vector<TensorView> views;
  for (const auto& [name, tensor] : tensors) {
    views.push_back({name,
                     DType::f32,
                     tensor.sizes().vec(),
                     {static_cast<const std::byte*>(tensor.const_data_ptr()),
                      static_cast<std::size_t>(tensor.nbytes())}});
  }
  write_safetensors(file, views, {{"format", "pt"}});
}

/// Writes an adapter of random numbers for `base` and makes of `base` what merging it gives.
void write_adapter_and_merge(VideoLanguageModel& base, const fs::path& folder) {
  const at::NoGradGuard no_gradients;
  std::map<std::string, Tensor> tensors;
  const auto random = [](at::IntArrayRef shape) { return at::randn(shape) * 0.2; };
  at::manual_seed(5);
  base.visit(Scope([&](const std::string& path, Tensor& weight) {
    const std::string name =
        "base_model.model." + invert_renames(base.published_names(), path).value();
    if (is_attention(path)) {
      const Tensor a = random({kRank, weight.size(1)}), b = random({weight.size(0), kRank});
      const std::string module = name.substr(0, name.size() - std::string(".weight").size());
      tensors[module + ".lora_A.weight"] = a;
      tensors[module + ".lora_B.weight"] = b;
      weight.add_(at::mm(b, a), kAlpha / kRank);
    } else if (is_replaced(path)) {
      tensors[name] = (weight + random(weight.sizes())).contiguous();
      weight.copy_(tensors[name]);
    }
  }));
  fs::create_directories(folder);
  write(folder / "adapter_model.safetensors", tensors);
  std::ofstream(folder / "adapter_config.json")
      << R"({"peft_type": "LORA", "r": 3, "lora_alpha": 6, "lora_dropout": 0.05, "bias": "none",
             "target_modules": ["q_proj", "k_proj", "v_proj"],
             "modules_to_save": ["merger", "qformer", "audio_proj"]})";
}

/// Logits behind a clip with sound.
Tensor logits_of(const VideoLanguageModel& model) {
  const at::NoGradGuard no_gradients;
  auto pictures = std::make_shared<Pictures>();
  pictures->seconds = 2;
  for (std::int64_t i = 0; i < 4; ++i) {
    pictures->frames.push_back(
        {i, 0.5 * static_cast<double>(i), 56, 84,
         std::vector<std::uint8_t>(56 * 84 * 3, static_cast<std::uint8_t>(50 * i + 10))});
  }
  Sound sound;
  for (int i = 0; i < 32000; ++i) sound.samples.push_back(static_cast<float>(i % 61) / 80);
  pictures->sound = std::make_shared<const Sound>(std::move(sound));
  const ModelInputs inputs =
      model.prepare({{"user", {Part{{}, pictures}, Part{"What is heard?", nullptr}}}});
  EXPECT_TRUE(inputs.media.mel.defined());
  AtenBackend backend(model.decoder(), {});
  return backend.admit(inputs.prompt, model.encode(inputs.media), 1).logits;
}

double difference(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(Salmonn2PlusAdapter, BaseAndAdapterEqualTheMergedModel) {
  const fs::path fixture =
      fs::path(TARSIER_SOURCE_DIR) / "tests" / "fixtures" / "models" / "salmonn2_plus";
  const fs::path adapter = scratch("lora"), full = scratch("full");
  const auto merged = load(fixture);
  const Tensor before = logits_of(*merged);
  write_adapter_and_merge(*merged, adapter);
  // The merged directory, as published.
  fs::copy(fixture, full, fs::copy_options::recursive);
  save_weights(*merged, full, at::kFloat);
  const Tensor expected = logits_of(*load(full));
  EXPECT_LE(difference(logits_of(*merged), expected), 1e-5);

  const auto base = load(fixture);
  Adapters adapters(*base);
  adapters.load("released", adapter);
  for (const AdapterMode mode : {AdapterMode::apart, AdapterMode::merged}) {
    adapters.use("released", mode);
    EXPECT_LE(difference(logits_of(*base), expected), 1e-4);
    EXPECT_GT(difference(expected, before), 1e-2);
  }
  adapters.off();
  EXPECT_TRUE(at::equal(logits_of(*base), before));
}

// Trap 2: the query is no module, so no adapter holds it, and a merged directory may have another.
TEST(Salmonn2PlusAdapter, TheQueryIsTheBases) {
  const fs::path fixture =
      fs::path(TARSIER_SOURCE_DIR) / "tests" / "fixtures" / "models" / "salmonn2_plus";
  const fs::path folder = scratch("query");
  const auto base = load(fixture);
  write_adapter_and_merge(*base, folder);
  const Adapter adapter = read_adapter(folder);
  EXPECT_FALSE(adapter.replaced.contains("audio.q_tokens"));
  // Trap 37: towers keep their own q, k and v.
  for (const auto& [name, delta] : adapter.deltas)
    EXPECT_TRUE(name.starts_with("model.layers.")) << name;
  EXPECT_EQ(std::ssize(adapter.deltas), 3 * base->decoder().config().layers);
}

TEST(Salmonn2PlusAdapter, OfAnotherModelIsNamed) {
  const fs::path models = fs::path(TARSIER_SOURCE_DIR) / "tests" / "fixtures" / "models";
  const fs::path folder = scratch("other");
  write_adapter_and_merge(*load(models / "salmonn2_plus"), folder);
  const auto other = load(models / "untied");
  Adapters adapters(*other);
  EXPECT_THAT([&] { adapters.load("x", folder); },
              testing::ThrowsMessage<CheckpointError>(
                  testing::HasSubstr("the adapter belongs to another base model")));
}

}  // namespace
}  // namespace tarsier
