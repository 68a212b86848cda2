#include "tests/models/tower_fixture.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/safetensors.h"

namespace tarsier {
namespace {

SafetensorsFile open(const std::string& name) {
  return SafetensorsFile(std::filesystem::path(TARSIER_SOURCE_DIR) / "tests" / "fixtures" /
                         "towers" / (name + ".safetensors"));
}

Tensor to_tensor(const TensorView& view) {
  const Tensor tensor = at::empty(view.shape, view.dtype == DType::f32 ? at::kFloat : at::kLong);
  std::memcpy(tensor.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
  return tensor;
}

}  // namespace

TowerFixture::TowerFixture(const std::string& name)
    : config(parse_json(open(name).metadata().at("config"), "config.json", JsonOwner::checkpoint)) {
  const SafetensorsFile file = open(name);
  for (const auto& [path, view] : file.tensors()) {
    const std::size_t cut = path.find('/');
    auto& group = path.starts_with("weights")  ? weights
                  : path.starts_with("inputs") ? inputs
                                               : stages;
    group.emplace(path.substr(cut + 1), to_tensor(view));
  }
}

TensorVisitor TowerFixture::filler(const std::vector<std::string>& unused) const {
  std::vector<std::string> left;
  for (const auto& [name, tensor] : weights) {
    if (std::ranges::none_of(unused, [&](const auto& begin) { return name.starts_with(begin); }))
      left.push_back(name);
  }
  // Held by the visitor, and checked when it goes: the walk is over then.
  const auto check_all = [](std::vector<std::string>* names) {
    EXPECT_TRUE(names->empty()) << names->front() << " is not read";
    delete names;
  };
  const std::shared_ptr<std::vector<std::string>> unread(
      new std::vector<std::string>(std::move(left)), check_all);
  return [this, unread](const std::string& name, Tensor& tensor) {
    ASSERT_TRUE(weights.contains(name)) << name;
    ASSERT_EQ(weights.at(name).sizes(), tensor.sizes()) << name;
    EXPECT_EQ(std::erase(*unread, name), 1U) << name << " is both read and unused";
    tensor = weights.at(name).clone();
  };
}

void TowerFixture::expect(const std::string& stage, const Tensor& actual) const {
  ASSERT_TRUE(stages.contains(stage)) << stage;
  const Tensor& expected = stages.at(stage);
  ASSERT_EQ(actual.sizes(), expected.sizes()) << stage;
  const double difference = (actual - expected).abs().max().item<double>();
  EXPECT_LE(difference, 1e-5 * std::max(1.0, expected.abs().max().item<double>())) << stage;
}

std::int64_t TowerFixture::blocks() const {
  return std::ranges::count_if(stages,
                               [](const auto& each) { return each.first.starts_with("block."); });
}

void expect_near_in_16_bits(const Tensor& half, const Tensor& whole, double mean) {
  EXPECT_EQ(half.scalar_type(), at::kBFloat16);
  ASSERT_EQ(half.sizes(), whole.sizes());
  EXPECT_LE((half.to(at::kFloat) - whole).abs().mean().item<double>(),
            mean * whole.abs().mean().item<double>());
}

std::vector<Tensor> gradients_of(const Tensor& output, const std::vector<Tensor>& inputs) {
  return torch::autograd::grad({output.square().sum()}, inputs);
}

void expect_same_gradients(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(at::equal(a[i], b[i])) << i;
    EXPECT_GT(a[i].abs().sum().item<double>(), 0) << i;
  }
}

std::string config_refusal(const std::string& config,
                           const std::function<void(const JsonView&)>& read) {
  try {
    read(parse_json(config, "config.json", JsonOwner::checkpoint));
  } catch (const CheckpointError& error) {
    return error.what();
  }
  return "no CheckpointError";
}

}  // namespace tarsier
