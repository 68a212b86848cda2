#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/engine/aten_backend.h"
#include "tarsier/engine/generate.h"
#include "tarsier/models/registry.h"
#include "tarsier/tensor/device.h"
#include "tarsier/train/trainer.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

using test::metrics_of;
namespace fs = std::filesystem;

// What a GPU computes, against the CPU's.
class Cuda : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      device = parse_device("cuda");
    } catch (const ConfigError&) {
      GTEST_SKIP() << "no GPU here";
    }
  }
  at::Device device = at::kCPU;
};

void expect_same_losses(const fs::path& one, const fs::path& other, double tolerance) {
  const auto a = metrics_of(one), b = metrics_of(other);
  ASSERT_EQ(a.size(), 6u);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (const char* key : {"loss", "next_token", "visual_words", "gradient_norm"}) {
      const double x = a[i].at(key), y = b[i].at(key);
      EXPECT_NEAR(x, y, tolerance * std::max(1.0, std::abs(x))) << key << " of step " << i + 1;
    }
  }
}

TEST_F(Cuda, TrainsAsTheCpuDoes) {
  for (const char* optimizer : {"adamw", "muon"}) {
    const fs::path folder = test::fresh_folder(std::string("cuda_") + optimizer);
    const auto edit = [&](nlohmann::json& recipe) {
      for (auto& stage : recipe["stages"]) {
        stage["optimizer"] = optimizer;
        stage["objectives"]["event_probe"] = 0.5;
        stage["objectives"]["event_cells"] = 0.5;
      }
    };
    const Recipe recipe =
        read_recipe(test::write_recipe(folder, test::make_tiny_model(folder), edit));
    ASSERT_EQ(train(recipe, {folder / "cpu"}), TrainOutcome::finished);
    TrainOptions options{folder / "gpu"};
    options.device = device;
    ASSERT_EQ(train(recipe, options), TrainOutcome::finished);
    expect_same_losses(folder / "cpu", folder / "gpu", 2e-3);
    EXPECT_EQ(test::read(folder / "gpu" / "machine.json").at("device"), "cuda:0");
    // A checkpoint is of no device: a CPU goes on from a GPU's and the other way round.
    for (const bool to_gpu : {false, true}) {
      const fs::path from = folder / (to_gpu ? "from_cpu" : "from_gpu");
      std::stop_source stop;
      stop.request_stop();
      TrainOptions half{from, true, stop.get_token()};
      half.device = to_gpu ? at::Device(at::kCPU) : device;
      ASSERT_EQ(train(recipe, half), TrainOutcome::stopped);
      TrainOptions rest{from};
      rest.device = to_gpu ? device : at::Device(at::kCPU);
      ASSERT_EQ(train(recipe, rest), TrainOutcome::finished);
      expect_same_losses(folder / "cpu", from, 2e-3);
    }
  }
}

TEST_F(Cuda, TrainsInBf16WithRecomputing) {
  const fs::path folder = test::fresh_folder("cuda_bf16");
  const Recipe recipe = read_recipe(
      test::write_recipe(folder, test::make_tiny_model(folder), [](nlohmann::json& recipe) {
        recipe["compute"] = "bf16";
        recipe["recompute"] = true;
        recipe["ema"] = 0.9;
      }));
  ASSERT_EQ(train(recipe, {folder / "cpu"}), TrainOutcome::finished);
  TrainOptions options{folder / "gpu"};
  options.device = device;
  ASSERT_EQ(train(recipe, options), TrainOutcome::finished);
  expect_same_losses(folder / "cpu", folder / "gpu", 3e-2);
}

TEST_F(Cuda, RefusesMixedProducts) {
  const fs::path folder = test::fresh_folder("cuda_mixed");
  const Recipe recipe =
      read_recipe(test::write_recipe(folder, test::make_tiny_model(folder),
                                     [](nlohmann::json& recipe) { recipe["compute"] = "mixed"; }));
  TrainOptions options{folder / "gpu"};
  options.device = device;
  EXPECT_THROW(train(recipe, options), ConfigError);
}

// The shipped model, greedily, in f32: the same words.
TEST_F(Cuda, AnswersAsTheCpuDoes) {
  const c10::InferenceMode inference;
  std::vector<std::string> answers;
  for (const at::Device where : {at::Device(at::kCPU), device}) {
    LoadOptions options;
    options.device = where;
    options.dtype = at::kFloat;
    const auto model =
        load_model(fs::path(TARSIER_SOURCE_DIR) / "assets" / "tarsier-nano", options);
    auto pictures = std::make_shared<Pictures>();
    for (int i = 0; i < 8; ++i) {
      Frame frame{i, i * 1.0, 336, 336, std::vector<std::uint8_t>(336 * 336 * 3, 200)};
      for (std::size_t k = 0; k < frame.rgb.size() / 4; ++k)
        frame.rgb[k] = static_cast<std::uint8_t>(k * 7 + static_cast<std::size_t>(i) * 31);
      pictures->frames.push_back(std::move(frame));
    }
    const Conversation conversation{
        {"user", {Part{"", pictures}, Part{"Describe the video in detail.", nullptr}}}};
    ModelInputs inputs = model->prepare(conversation, PromptPurpose::generate);
    AtenBackend backend(model->decoder());
    SamplingParams sampling;
    sampling.max_new_tokens = 32;
    const std::vector<Branch> branches{{std::move(inputs.prompt), sampling, {}}};
    answers.push_back(generate_branches(*model, backend, inputs.media, branches)[0].text);
  }
  EXPECT_FALSE(answers[0].empty());
  EXPECT_EQ(answers[0], answers[1]);
}

}  // namespace
}  // namespace tarsier
