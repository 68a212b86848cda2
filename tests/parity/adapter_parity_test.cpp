// LoRA adapters of a tiny model against PEFT (tools/fixtures/make_adapter_fixtures.py).

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "parity_case.h"
#include "tarsier/engine/aten_backend.h"
#include "tarsier/models/adapters.h"
#include "tarsier/models/conversion.h"
#include "tarsier/models/registry.h"
#include "tarsier/models/stored_tensor.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance = 1e-4;
constexpr const char* kAdapters[] = {"qkv", "patterns"};

fs::path fixtures() { return fs::path(TARSIER_SOURCE_DIR) / "tests" / "fixtures"; }

std::shared_ptr<VideoLanguageModel> load(const fs::path& directory,
                                         at::ScalarType dtype = at::kFloat) {
  LoadOptions options;
  options.dtype = dtype;
  return load_model(directory, options);
}

Tensor logits_of(const VideoLanguageModel& model) {
  const at::NoGradGuard no_gradients;
  for (const ParityRun& run : parity_case("untied").runs) {
    if (run.name != "image") continue;
    const ModelInputs inputs = model.prepare(run.conversation);
    AtenBackend backend(model.decoder(), {});
    return backend.admit(inputs.prompt, model.encode(inputs.media), 1).logits;
  }
  return {};
}

Tensor expected(const std::string& name) {
  const SafetensorsFile file(fixtures() / "adapters" / "expected.safetensors");
  const TensorView& view = file.tensors().at(name);
  return copy_of({name, view.dtype, view.shape, contiguous_strides(view.shape), view.bytes}, name);
}

double difference(const Tensor& a, const Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

class AdapterParity : public testing::Test {
 protected:
  AdapterParity() : model_(load(fixtures() / "models" / "untied")), adapters_(*model_) {
    for (const char* name : kAdapters) adapters_.load(name, fixtures() / "adapters" / name);
  }
  std::shared_ptr<VideoLanguageModel> model_;
  Adapters adapters_;
};

TEST_F(AdapterParity, ApartMergedAndOff) {
  const Tensor base = logits_of(*model_);
  EXPECT_LE(difference(base, expected("base")), kTolerance);
  for (const char* name : kAdapters) {
    SCOPED_TRACE(name);
    adapters_.use(name, AdapterMode::apart);
    EXPECT_LE(difference(logits_of(*model_), expected(name)), kTolerance);
    adapters_.use(name, AdapterMode::merged);
    EXPECT_LE(difference(logits_of(*model_), expected(name)), kTolerance);
    EXPECT_EQ(adapters_.in_use(), name);
    adapters_.off();
    EXPECT_TRUE(at::equal(logits_of(*model_), base));
  }
}

TEST_F(AdapterParity, SwitchingLeavesNothingBehind) {
  adapters_.use("patterns", AdapterMode::merged);
  adapters_.use("qkv", AdapterMode::apart);
  EXPECT_LE(difference(logits_of(*model_), expected("qkv")), kTolerance);
  adapters_.use("patterns", AdapterMode::apart);
  EXPECT_LE(difference(logits_of(*model_), expected("patterns")), kTolerance);
}

TEST_F(AdapterParity, SavedIsTheSame) {
  const fs::path folder =
      fs::path(testing::TempDir()) / ("tarsier_adapter_" + std::to_string(::getpid()));
  fs::remove_all(folder);
  adapters_.save("patterns", folder);
  adapters_.load("again", folder);
  adapters_.use("again", AdapterMode::apart);
  EXPECT_LE(difference(logits_of(*model_), expected("patterns")), kTolerance);
}

// A merged weight in bf16 rounds once; a change kept apart does not round the weight at all.
TEST_F(AdapterParity, HalfPrecision) {
  const auto model = load(fixtures() / "models" / "untied", at::kBFloat16);
  Adapters adapters(*model);
  adapters.load("qkv", fixtures() / "adapters" / "qkv");
  const double scale = expected("qkv").abs().max().item<double>();
  for (const AdapterMode mode : {AdapterMode::apart, AdapterMode::merged}) {
    adapters.use("qkv", mode);
    EXPECT_LE(difference(logits_of(*model), expected("qkv")), 0.05 * scale);
  }
}

TEST_F(AdapterParity, ConvertMerges) {
  for (const char* name : kAdapters) {
    SCOPED_TRACE(name);
    const fs::path out =
        fs::path(testing::TempDir()) / ("tarsier_merged_" + std::to_string(::getpid()) + name);
    fs::remove_all(out);
    ConversionOptions options;
    options.adapter = fixtures() / "adapters" / name;
    const auto report = convert_weights(fixtures() / "models" / "untied", out, options);
    EXPECT_GE(report->merged, 6);
    EXPECT_LE(difference(logits_of(*load(out)), expected(name)), kTolerance);
  }
}

}  // namespace
}  // namespace tarsier
