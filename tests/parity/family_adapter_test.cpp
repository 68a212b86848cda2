// A LoRA adapter on every family: apart, merged, and the merged directory give one answer; off, the
// model is as it was.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "parity_case.h"
#include "tarsier/checkpoint/rename.h"
#include "tarsier/engine/aten_backend.h"
#include "tarsier/models/adapters.h"
#include "tarsier/models/registry.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kRank = 4;
constexpr double kScale = 2;  // alpha / rank

class FamilyAdapter : public testing::TestWithParam<std::string> {
 protected:
  static std::shared_ptr<VideoLanguageModel> load(const fs::path& folder) {
    LoadOptions options;
    options.dtype = at::kFloat;
    return load_model(folder, options);
  }

  static fs::path scratch(const std::string& name) {
    const fs::path folder = fs::path(testing::TempDir()) / ("family_adapter_" + name);
    fs::remove_all(folder);
    return folder;
  }
};

bool is_projection(const std::string& path) {
  return path.starts_with("model.layers.") && path.ends_with("_proj.weight");
}

// Random changes of every dense layer of the decoder, as PEFT stores them; `model` becomes what
// merging gives, by the formula alone.
void write_and_merge(VideoLanguageModel& model, const fs::path& folder) {
  const at::NoGradGuard no_gradients;
  at::manual_seed(11);
  Adapter adapter{AdapterConfig(parse_json(
                      R"({"peft_type": "LORA", "r": 4, "lora_alpha": 8, "lora_dropout": 0.05,
                          "bias": "none", "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj",
                          "gate_proj", "up_proj", "down_proj"]})",
                      "adapter_config.json", JsonOwner::checkpoint)),
                  {},
                  {}};
  model.visit(Scope([&](const std::string& path, Tensor& weight) {
    if (!is_projection(path)) return;
    const Tensor a = at::randn({kRank, weight.size(1)}) * 0.2,
                 b = at::randn({weight.size(0), kRank}) * 0.2;
    const std::string name = invert_renames(model.published_names(), path).value();
    adapter.deltas.emplace(name.substr(0, name.size() - std::string(".weight").size()),
                           LoraDelta{a, b, kScale});
    weight = weight.add(at::mm(b, a), kScale);
  }));
  write_adapter(adapter, folder);
}

// Behind each run of the case, [runs, vocab].
Tensor logits_of(const VideoLanguageModel& model, const ParityCase& parity) {
  const at::NoGradGuard no_gradients;
  std::vector<Tensor> logits;
  for (const ParityRun& run : parity.runs) {
    const ModelInputs inputs = model.prepare(run.conversation);
    const Tensor media = inputs.media.empty() ? Tensor() : model.encode(inputs.media);
    AtenBackend backend(model.decoder(), {});
    logits.push_back(backend.admit(inputs.prompt, media, 1).logits);
  }
  return at::stack(logits);
}

double difference(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST_P(FamilyAdapter, ApartMergedAndOff) {
  const ParityCase& parity = parity_case(GetParam());
  const fs::path folder = scratch(GetParam() + "_lora"), full = scratch(GetParam() + "_full");
  const auto base = load(parity.directory);
  const Tensor before = logits_of(*base, parity);
  const auto merged = load(parity.directory);
  write_and_merge(*merged, folder);
  fs::copy(parity.directory, full, fs::copy_options::recursive);
  for (const auto& file : fs::directory_iterator(parity.directory)) {
    if (file.path().filename().string().starts_with("model"))
      fs::remove(full / file.path().filename());
  }
  save_weights(*merged, full, at::kFloat);
  const Tensor expected = logits_of(*load(full), parity);
  EXPECT_GT(difference(expected, before), 1e-2);

  Adapters adapters(*base);
  adapters.load("tiny", folder);
  for (const AdapterMode mode : {AdapterMode::apart, AdapterMode::merged}) {
    adapters.use("tiny", mode);
    EXPECT_LE(difference(logits_of(*base, parity), expected), 1e-4)
        << (mode == AdapterMode::apart ? "apart" : "merged");
  }
  adapters.off();
  EXPECT_TRUE(at::equal(logits_of(*base, parity), before));
}

INSTANTIATE_TEST_SUITE_P(Fixtures, FamilyAdapter, testing::ValuesIn(parity_case_names()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace tarsier
